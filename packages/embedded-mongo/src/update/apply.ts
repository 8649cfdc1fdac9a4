/** Updates one document with MongoDB's exact semantics. Documents are never changed in place. */
import { compareStrings, compareValues, identical } from '../keys/compare.ts'
import { mongoError } from '../values/errors.ts'
import { conjuncts, type Filter } from '../filter/index.ts'
import { checkIdValue } from '../values/id-value.ts'
import { isArrayIndex, pathParts, withValueAt } from '../values/paths.ts'
import { printField } from '../values/print.ts'
import type { Modifier, UpdateContext } from './modifiers.ts'
import type { Update, UpdateTree } from './parse.ts'
import { Timestamp, type Doc, type Value } from '../values/values.ts'

export { parseUpdate, type Update } from './parse.ts'

export interface ApplyOptions {
  /** An upsert is going to insert the document. */
  insert: boolean
  nowMs?: number
}

/** Does the update replace the whole document? Then it may not apply to several documents. */
export function isReplacement (update: Update): boolean {
  return update.kind === 'replace'
}

/** The updated document, or null if nothing changes. */
export function applyUpdate (update: Update, doc: Doc, { insert, nowMs = Date.now() }: ApplyOptions): Doc | null {
  const result = update.kind === 'replace'
    ? replace(update.doc, doc, nowMs)
    : appliedToFields(update.tree, doc, '', { doc, insert, nowMs }) as Doc
  if (result === doc) return null
  checkId(update, doc, result)
  for (const name of result.keys()) {
    if (!name.startsWith('$') || doc.has(name)) continue
    throw mongoError('DollarPrefixedFieldName',
      `The dollar ($) prefixed field '${name}' in '${name}' is not valid for storage.`)
  }
  return result
}

function replace (replacement: Doc, doc: Doc, nowMs: number): Doc {
  const id = doc.get('_id')
  const keepsId = id === undefined || replacement.has('_id')
  const result: Doc = keepsId ? new Map(replacement) : new Map([['_id', id], ...replacement])
  for (const [name, value] of result) {
    // An empty timestamp stands for the current one.
    if (name !== '_id' && value instanceof Timestamp && value.seconds === 0 && value.ordinal === 0) {
      result.set(name, new Timestamp(Math.floor(nowMs / 1000), 1))
    }
  }
  // Only a replacement with an `_id` can leave the document unchanged.
  return replacement.has('_id') && identical(doc, result) ? doc : result
}

const join = (path: string, name: string) => path === '' ? name : `${path}.${name}`

/** The value that replaces `current`: the same object if nothing changes, undefined to remove it. */
function applied (
  node: UpdateTree | Modifier, current: Value | undefined, path: string, context: UpdateContext
): Value | undefined {
  if (typeof node === 'function') return node(current, context)
  if (Array.isArray(current)) return appliedToItems(node, current, path, context)
  return appliedToFields(node, current, path, context)
}

/** Changes the fields of a document, or of a new one if there is no value yet. Any other value cannot get fields. */
function appliedToFields (
  tree: UpdateTree, current: Value | undefined, path: string, context: UpdateContext
): Value | undefined {
  const doc: Doc = current instanceof Map ? current : new Map()
  let result = doc
  for (const [name, child] of tree) {
    const before = doc.get(name)
    const after = applied(child, before, join(path, name), context)
    if (Object.is(after, before)) continue
    if (current !== undefined && current !== doc) throw notViable(name, path, current)
    if (result === doc) result = new Map(doc)
    if (after === undefined) result.delete(name)
    else result.set(name, after)
  }
  return result === doc ? current : result
}

const ARRAY_PADDING_MAX = 1_500_000

function appliedToItems (tree: UpdateTree, current: Value[], path: string, context: UpdateContext): Value[] {
  let result = current
  for (const [name, child] of tree) {
    const index = isArrayIndex(name) ? Number(name) : undefined
    const before = index === undefined ? undefined : current[index]
    const after = applied(child, before, join(path, name), context)
    if (Object.is(after, before)) continue
    if (index === undefined) throw notViable(name, path, current)
    if (result === current) result = [...current]
    if (index - current.length > ARRAY_PADDING_MAX) {
      throw mongoError('CannotBackfillArray', `can't backfill more than ${ARRAY_PADDING_MAX} elements`)
    }
    while (result.length < index) result.push(null)
    // `$unset` of an item sets it to null, so that the other items keep their positions.
    result[index] = after ?? null
  }
  return result
}

const notViable = (name: string, path: string, current: Value) => {
  const element = printField(pathParts(path).at(-1) as string, current)
  return mongoError('PathNotViable', `Cannot create field '${name}' in element {${element}}`)
}

function checkId (update: Update, before: Doc, after: Doc) {
  const id = before.get('_id')
  const next = after.get('_id')
  if (next !== undefined && next !== id) checkIdValue(next)
  if (id === undefined || id === next) return
  if (update.kind === 'replace') {
    if (next !== undefined && compareValues(id, next) === 0) return
    const altered = next === undefined ? 'nothing' : printField('_id', next)
    throw mongoError('ImmutableField',
      `After applying the update, the (immutable) field '_id' was found to have been altered to ${altered}`)
  }
  if (next !== undefined && identical(id, next)) return
  throw mongoError('ImmutableField',
    "Performing an update on the path '_id' would modify the immutable field '_id'")
}

/**
 * The fields that an upsert takes from its query: those for which the query demands equality, in the order of their
 * paths. A replacement takes only the `_id`, which the query must then give as a whole.
 */
function upsertBase (filter: Filter, update: Update): Doc {
  const equalities = new Map<string, Value>()
  for (const part of conjuncts(filter)) {
    if (part.op !== 'within' || part.equal === undefined) continue
    const { path, parts, equal } = part
    if (update.kind === 'replace') {
      if (parts[0] !== '_id') continue
      if (path !== '_id') {
        throw mongoError('NotExactValueField',
          `field at '_id' must be exactly specified, field at sub-path '${path}'found`)
      }
    }
    if (equalities.has(path)) {
      throw mongoError('NotSingleValueField', `cannot infer query fields to set, path '${path}' is matched twice`)
    }
    equalities.set(path, equal)
  }
  let doc: Doc = new Map()
  for (const [path, value] of [...equalities].sort(([a], [b]) => compareStrings(a, b))) {
    const parts = pathParts(path)
    for (let i = 1; i < parts.length; i++) {
      const prefix = parts.slice(0, i).join('.')
      if (equalities.has(prefix)) {
        throw mongoError('NotSingleValueField',
          `cannot infer query fields to set, both paths '${path}' and '${prefix}' are matched`)
      }
    }
    doc = withValueAt(doc, parts, value)
  }
  return doc
}

/** The document that an upsert inserts. It has no `_id` if neither the query nor the update gives one. */
export function upsertDocument (update: Update, filter: Filter): Doc {
  const base = upsertBase(filter, update)
  return applyUpdate(update, base, { insert: true }) ?? base
}
