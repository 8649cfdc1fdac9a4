/** Updates of one document: exact MongoDB semantics on typed values. Documents are never changed in place. */
import { compareStrings, compareValues, identical } from './compare.ts'
import { badValue, mongoError } from './errors.ts'
import { conjuncts, type Comparison, type Filter } from './filter.ts'
import { positionOf } from './filter-position.ts'
import { checkIdValue } from './id-value.ts'
import { pathParts } from './paths.ts'
import { printField } from './print.ts'
import { appliedToDoc } from './update-tree.ts'
import { printId } from './update-modifiers.ts'
import type { Modification, Update } from './update-parse.ts'
import { Timestamp, type Doc, type Value } from './values.ts'

export { parseUpdate, type Update } from './update-parse.ts'

export interface ApplyOptions {
  /** The document is about to be inserted by an upsert. */
  insert: boolean
  /** The query that found the document, which the positional `$` refers to. */
  filter?: Filter
  nowMs?: number
}

/** Whether an update replaces the whole document (which may not be asked of many documents at once). */
export function isReplacement (update: Update): boolean {
  return update.kind === 'replace'
}

/** The updated document, or null when nothing changes. */
export function applyUpdate (update: Update, doc: Doc, options: ApplyOptions): Doc | null {
  const result = update.kind === 'replace' ? replace(update.doc, doc, options) : modifyDoc(update, doc, options)
  if (result === doc) return null
  checkId(update, doc, result)
  for (const name of result.keys()) {
    if (name.startsWith('$') && !doc.has(name)) throw mongoError('DollarPrefixedFieldName', `The dollar ($) prefixed field '${name}' in '${name}' is not valid for storage.`)
  }
  return result
}

function replace (replacement: Doc, doc: Doc, { nowMs = Date.now() }: ApplyOptions): Doc {
  const id = doc.get('_id')
  const result: Doc = id === undefined || replacement.has('_id') ? new Map(replacement) : new Map([['_id', id], ...replacement])
  for (const [name, value] of result) {
    // An empty timestamp asks for the current one.
    if (name !== '_id' && value instanceof Timestamp && value.seconds === 0 && value.ordinal === 0) {
      result.set(name, new Timestamp(Math.floor(nowMs / 1000), 1))
    }
  }
  // Only a replacement that names the identifier too can leave the document as it is.
  return replacement.has('_id') && identical(doc, result) ? doc : result
}

function modifyDoc (update: Modification, doc: Doc, { insert, filter, nowMs = Date.now() }: ApplyOptions): Doc {
  const renamed = new Map<string, Value | undefined>()
  for (const [from, to] of update.renames) {
    const value = renameSource(doc, from)
    if (value !== undefined) checkNoArray(doc, to)
    renamed.set(from, value)
  }
  const position = update.positional && filter !== undefined ? positionOf(filter, doc) : undefined
  return appliedToDoc(update.root, doc, '', { doc, insert, nowMs, renamed, arrayFilters: update.arrayFilters, position })
}

function renameSource (doc: Doc, path: string): Value | undefined {
  let value: Value | undefined = doc
  let parent = ''
  for (const part of pathParts(path)) {
    if (value === undefined) return undefined
    if (Array.isArray(value)) {
      throw badValue(`The source field cannot be an array element, '${path}' in doc with ${printId(doc).slice(1, -1)} has an array field called '${parent}'`)
    }
    if (!(value instanceof Map)) {
      throw mongoError('PathNotViable', `cannot use the part (${parent} of ${path}) to traverse the element ({${printField(parent, value)}})`)
    }
    value = value.get(part)
    parent = part
  }
  return value
}

function checkNoArray (doc: Doc, path: string) {
  let value: Value | undefined = doc
  let parent = ''
  for (const part of pathParts(path)) {
    if (Array.isArray(value)) {
      throw badValue(`The destination field cannot be an array element, '${path}' in doc with ${printId(doc).slice(1, -1)} has an array field called '${parent}'`)
    }
    value = value instanceof Map ? value.get(part) : undefined
    parent = part
  }
}

function checkId (update: Update, before: Doc, after: Doc) {
  const id = before.get('_id')
  const next = after.get('_id')
  if (next !== undefined && next !== id) checkIdValue(next)
  if (id === undefined || id === next) return
  if (update.kind === 'replace') {
    if (next !== undefined && compareValues(id, next) === 0) return
    throw mongoError('ImmutableField', `After applying the update, the (immutable) field '_id' was found to have been altered to ${next === undefined ? 'nothing' : printField('_id', next)}`)
  }
  if (next !== undefined && identical(id, next)) return
  const path = update.paths.find(path => pathParts(path)[0] === '_id') ?? '_id'
  throw mongoError('ImmutableField', `Performing an update on the path '${path}' would modify the immutable field '_id'`)
}

/**
 * The fields that an upsert takes over from its query: what the query says is equal, in the order of the paths. A replacement takes
 * nothing but the identifier, which the query must then give as a whole.
 */
function upsertBase (filter: Filter, update: Update): Doc {
  const equalities = new Map<string, Value>()
  for (const { path, value } of conjuncts(filter).flatMap(equalitiesOf)) {
    if (update.kind === 'replace') {
      if (pathParts(path)[0] !== '_id') continue
      if (path !== '_id') throw mongoError('NotExactValueField', `field at '_id' must be exactly specified, field at sub-path '${path}'found`)
    }
    if (equalities.has(path)) throw mongoError('NotSingleValueField', `cannot infer query fields to set, path '${path}' is matched twice`)
    equalities.set(path, value)
  }
  const doc: Doc = new Map()
  for (const [path, value] of [...equalities].sort(([a], [b]) => compareStrings(a, b))) setNew(doc, path, value, equalities)
  return doc
}

/** The equalities that one part of a conjunction stands for. */
function equalitiesOf (filter: Filter): Pick<Comparison, 'path' | 'value'>[] {
  if (filter.op === 'eq') return [filter]
  if (filter.op === 'in' && filter.values.length === 1 && filter.regexes.length === 0) return [{ path: filter.path, value: filter.values[0] as Value }]
  return []
}

function setNew (doc: Doc, path: string, value: Value, equalities: ReadonlyMap<string, Value>) {
  const parts = pathParts(path)
  let parent = doc
  for (let i = 0; i < parts.length; i++) {
    const prefix = parts.slice(0, i).join('.')
    if (i > 0 && equalities.has(prefix)) throw mongoError('NotSingleValueField', `cannot infer query fields to set, both paths '${path}' and '${prefix}' are matched`)
    const part = parts[i] as string
    if (i + 1 === parts.length) {
      parent.set(part, value)
    } else {
      const child = parent.get(part) ?? new Map<string, Value>()
      parent.set(part, child)
      parent = child as Doc
    }
  }
}

/** The document that an upsert inserts; it has no `_id` yet when neither the query nor the update gives one. */
export function upsertDocument (update: Update, filter: Filter, options: Omit<ApplyOptions, 'insert' | 'filter'> = {}): Doc {
  const base = upsertBase(filter, update)
  return applyUpdate(update, base, { ...options, insert: true }) ?? base
}
