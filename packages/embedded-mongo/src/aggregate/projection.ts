/** Projections of `find` and `$project`: which fields a result keeps, and which it computes. */
import { mongoError, notImplemented } from '../values/errors.ts'
import { parseExpression, type Expression } from './expression.ts'
import { isOperatorDoc } from '../filter/parse.ts'
import { addToTree, checkFieldPath, type PathTree } from '../values/paths.ts'
import { isNumeric, isTruthy, type Doc, type Value } from '../values/values.ts'

/** What happens to the field at a path: an expression computes it. */
type Leaf = 'keep' | 'drop' | Expression
type Rules = PathTree<Leaf>
type Rule = Leaf | Rules

export type Projection = (doc: Doc) => Doc

/**
 * Which fields a projection keeps, if it only keeps or drops whole fields of the document: then the document need not
 * be decoded. Undefined: it does more.
 */
export function parseSelection (spec: Doc): ((name: string) => boolean) | undefined {
  const { rules, keeps } = parsed(spec)
  if ([...rules.values()].some(rule => rule !== 'keep' && rule !== 'drop')) return undefined
  return name => keeps ? rules.get(name) === 'keep' : rules.get(name) !== 'drop'
}

/** An empty projection keeps the whole document in `find`, and is an error in `aggregate`. */
export function parseProjection (spec: Doc, { aggregate = false } = {}): Projection {
  if (spec.size === 0) {
    if (!aggregate) return doc => doc
    throw mongoError(51272,
      'Invalid $project :: caused by :: projection specification must have at least one field')
  }
  const { rules, keeps } = parsed(spec)
  if (!keeps) return doc => selected(rules, doc, false)
  return doc => withComputed(rules, selected(rules, doc, true), doc)
}

function parsed (spec: Doc): { rules: Rules, keeps: boolean } {
  const { rules, keeps } = new Parser(spec)
  if (keeps && !rules.has('_id')) rules.set('_id', 'keep')
  return { rules, keeps }
}

class Parser {
  readonly rules: Rules = new Map()
  private mode: boolean | undefined
  private keepsId = false

  constructor (spec: Doc) {
    this.addFields(spec, '')
  }

  /** Does the projection list the fields to keep? One that lists none, except perhaps `_id`, lists those to drop. */
  get keeps (): boolean {
    return this.mode ?? this.keepsId
  }

  private addFields (spec: Doc, parent: string) {
    if (spec.size === 0) {
      throw mongoError(51270, `An empty sub-projection is not a valid value. Found empty object at path ${parent}`)
    }
    for (const [name, value] of spec) {
      const path = parent === '' ? name : `${parent}.${name}`
      if (path.endsWith('.$')) throw notImplemented('the positional projection is not supported')
      checkFieldPath(path)
      if (value instanceof Map && !isOperatorDoc(value)) this.addFields(value, path)
      else addToTree(this.rules, path, this.parseRule(path, value), collision)
    }
  }

  private parseRule (path: string, value: Value): Leaf {
    if (isNumeric(value) || typeof value === 'boolean') {
      const keep = isTruthy(value)
      if (path === '_id') this.keepsId = keep
      else if (this.mode !== !keep) this.mode = keep
      else if (keep) throw mongoError(31253, `Cannot do inclusion on field ${path} in exclusion projection`)
      else throw mongoError(31254, `Cannot do exclusion on field ${path} in inclusion projection`)
      return keep ? 'keep' : 'drop'
    }
    if (path.includes('.')) throw notImplemented(`computed fields within others are not supported, found at '${path}'`)
    if (this.mode === false) throw mongoError(31252, 'Cannot use expression other than $meta in exclusion projection')
    this.mode = true
    return parseExpression(value)
  }
}

function collision (parts: readonly string[], depth: number): Error {
  const path = parts.join('.')
  if (depth === parts.length) return mongoError(31249, `Path collision at ${path}`)
  return mongoError(31250, `Path collision at ${path} remaining portion ${parts.slice(depth).join('.')}`)
}

/** A copy with the fields to keep, or without those to drop. */
function selected (rules: Rules, doc: Doc, keeps: boolean): Doc {
  const result: Doc = new Map()
  for (const [name, value] of doc) {
    const part = selectedOf(rules.get(name), value, keeps)
    if (part !== undefined) result.set(name, part)
  }
  return result
}

function selectedOf (rule: Rule | undefined, value: Value, keeps: boolean): Value | undefined {
  if (rule === 'keep') return value
  if (rule instanceof Map && value instanceof Map) return selected(rule, value, keeps)
  // Items that are not documents have none of the fields. Arrays within arrays are searched too.
  if (rule instanceof Map && Array.isArray(value)) {
    return value.map(item => selectedOf(rule, item, keeps)).filter(item => item !== undefined)
  }
  return keeps || rule === 'drop' ? undefined : value
}

/** Adds the computed fields after the kept ones, in the order of the specification. */
function withComputed (rules: Rules, kept: Doc, root: Doc): Doc {
  for (const [name, rule] of rules) {
    const value = typeof rule === 'function' ? rule(root) : undefined
    if (value !== undefined) kept.set(name, value)
  }
  return kept
}
