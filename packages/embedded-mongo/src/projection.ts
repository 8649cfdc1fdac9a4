/** Projections of find and `$project`: which fields a result keeps, and the fields it computes. */
import { badValue, mongoError, notImplemented } from './errors.ts'
import { parseExpression, type Expression } from './expression.ts'
import { isOperatorDoc, parsePredicate } from './filter-parse.ts'
import { matchesItem } from './filter.ts'
import { pathParts } from './paths.ts'
import { checkFieldPath } from './sort.ts'
import { isNumeric, isTruthy, toInteger, typeName, type Doc, type Value } from './values.ts'

type Rule =
  | { kind: 'keep' | 'drop' }
  | { kind: 'compute', expression: Expression }
  | { kind: 'slice', skip: number | undefined, count: number }
  | Branch

interface Branch { kind: 'branch', children: Map<string, Rule> }

export type Projection = (doc: Doc) => Doc

/** Parses a projection of find; `aggregate` takes `$slice` and `$elemMatch` for the expressions they are in `$project`. */
export function parseProjection (spec: Doc, { aggregate = false } = {}): Projection {
  if (spec.size === 0) {
    if (aggregate) throw mongoError(51272, 'Invalid $project :: caused by :: projection specification must have at least one field')
    return doc => doc
  }
  const parser = new Parser(aggregate)
  parser.addFields(spec, '')
  const { root } = parser
  if (parser.mode !== 'keep') return doc => withoutDropped(root, doc)
  if (!root.children.has('_id')) root.children.set('_id', { kind: 'keep' })
  return doc => withComputed(root, withKept(root, doc), doc)
}

class Parser {
  readonly root: Branch = { kind: 'branch', children: new Map() }
  private readonly aggregate: boolean
  private keeps: boolean | undefined
  private keepsId = false

  constructor (aggregate: boolean) { this.aggregate = aggregate }

  /** A projection that names nothing to keep (but perhaps `_id`) keeps the rest. */
  get mode (): 'keep' | 'drop' {
    return this.keeps ?? this.keepsId ? 'keep' : 'drop'
  }

  addFields (spec: Doc, parent: string) {
    if (spec.size === 0) throw mongoError(51270, `An empty sub-projection is not a valid value. Found empty object at path ${parent}`)
    for (const [name, value] of spec) {
      const path = parent === '' ? name : `${parent}.${name}`
      if (path.endsWith('.$')) throw notImplemented('the positional projection is not supported')
      checkFieldPath(path)
      this.addField(path, value)
    }
  }

  private addField (path: string, value: Value) {
    if (isNumeric(value) || typeof value === 'boolean') {
      const keep = isTruthy(value)
      if (path === '_id') this.keepsId = keep
      else this.setMode(keep, path)
      this.put(path, { kind: keep ? 'keep' : 'drop' })
    } else if (value instanceof Map && !isOperatorDoc(value)) {
      this.addFields(value, path)
    } else if (!this.aggregate && value instanceof Map && value.has('$slice')) {
      this.put(path, parseSlice(value.get('$slice') as Value))
    } else if (value instanceof Map && value.has('$meta')) {
      throw notImplemented('$meta is not supported')
    } else {
      if (this.keeps === false) throw mongoError(31252, 'Cannot use expression other than $meta in exclusion projection')
      this.keeps = true
      const isElemMatch = !this.aggregate && value instanceof Map && value.has('$elemMatch')
      this.put(path, { kind: 'compute', expression: isElemMatch ? parseElemMatch(path, value.get('$elemMatch') as Value) : parseExpression(value) })
    }
  }

  private setMode (keep: boolean, path: string) {
    if (this.keeps !== undefined && this.keeps !== keep) {
      throw keep
        ? mongoError(31253, `Cannot do inclusion on field ${path} in exclusion projection`)
        : mongoError(31254, `Cannot do exclusion on field ${path} in inclusion projection`)
    }
    this.keeps = keep
  }

  private put (path: string, rule: Rule) {
    const parts = pathParts(path)
    let node = this.root
    parts.forEach((part, i) => {
      const existing = node.children.get(part)
      if (i + 1 === parts.length) {
        if (existing !== undefined) throw mongoError(31249, `Path collision at ${path}`)
        node.children.set(part, rule)
        return
      }
      if (existing !== undefined && existing.kind !== 'branch') throw mongoError(31250, `Path collision at ${path} remaining portion ${parts.slice(i + 1).join('.')}`)
      const branch: Branch = existing ?? { kind: 'branch', children: new Map() }
      node.children.set(part, branch)
      node = branch
    })
  }
}

function parseSlice (value: Value): Rule {
  const [first, second] = Array.isArray(value) ? value : [value]
  const numbers = (Array.isArray(value) ? value : [value]).map(toInteger)
  if (Array.isArray(value) && value.length !== 2) throw mongoError(28667, `Invalid $slice syntax. The given syntax { $slice: … } did not match the find() syntax because :: Location31272 :: $slice array argument should be of form [skip, limit] :: ${value.length} values`)
  if (numbers.some(number => number === undefined)) throw mongoError(28667, `Invalid $slice syntax :: $slice only supports numbers and [skip, limit] arrays, not ${typeName(second ?? first)}`)
  if (second === undefined) return { kind: 'slice', skip: undefined, count: numbers[0] as number }
  if ((numbers[1] as number) <= 0) throw mongoError(28724, 'First argument to $slice must be an array or the limit must be positive')
  return { kind: 'slice', skip: numbers[0] as number, count: numbers[1] as number }
}

function sliced (items: Value[], skip: number | undefined, count: number): Value[] {
  if (skip === undefined) return count >= 0 ? items.slice(0, count) : items.slice(Math.max(0, items.length + count))
  const start = skip >= 0 ? skip : Math.max(0, items.length + skip)
  return items.slice(start, start + count)
}

/** The first item that matches, alone in an array. */
function parseElemMatch (path: string, operand: Value): Expression {
  if (path.includes('.')) throw mongoError(31275, 'Cannot use $elemMatch projection on a nested field.')
  if (!(operand instanceof Map)) throw badValue(`$elemMatch must be an Object, but got type ${typeName(operand)}`)
  const filter = parsePredicate('', new Map([['$elemMatch', operand]]))
  return root => {
    const items = root.get(path)
    const found = Array.isArray(items) ? items.find(item => matchesItem(filter, [item])) : undefined
    return found === undefined ? undefined : [found]
  }
}

function withoutDropped (branch: Branch, doc: Doc): Doc {
  const result: Doc = new Map()
  for (const [name, value] of doc) {
    const kept = restOf(branch.children.get(name), value)
    if (kept !== undefined) result.set(name, kept)
  }
  return result
}

function restOf (rule: Rule | undefined, value: Value): Value | undefined {
  if (rule === undefined || rule.kind === 'keep') return value
  if (rule.kind === 'slice') return Array.isArray(value) ? sliced(value, rule.skip, rule.count) : value
  if (rule.kind !== 'branch') return undefined
  if (value instanceof Map) return withoutDropped(rule, value)
  return Array.isArray(value) ? value.map(item => restOf(rule, item) as Value) : value
}

function withKept (branch: Branch, doc: Doc): Doc {
  const result: Doc = new Map()
  for (const [name, value] of doc) {
    const kept = keptOf(branch.children.get(name), value)
    if (kept !== undefined) result.set(name, kept)
  }
  return result
}

function keptOf (rule: Rule | undefined, value: Value): Value | undefined {
  if (rule === undefined) return undefined
  switch (rule.kind) {
    case 'keep': return value
    case 'drop': case 'compute': return undefined
    case 'slice': return Array.isArray(value) ? sliced(value, rule.skip, rule.count) : value
    case 'branch':
      if (value instanceof Map) return withKept(rule, value)
      // Items that are no documents have none of the fields; arrays within arrays are entered.
      return Array.isArray(value) ? value.map(item => keptOf(rule, item)).filter(item => item !== undefined) : undefined
  }
}

function hasComputed (rule: Rule): boolean {
  return rule.kind === 'compute' || (rule.kind === 'branch' && [...rule.children.values()].some(hasComputed))
}

/** Adds the computed fields after those that were kept, in the order of the specification. */
function withComputed (branch: Branch, kept: Doc, root: Doc): Doc {
  for (const [name, rule] of branch.children) {
    if (!hasComputed(rule)) continue
    const value = rule.kind === 'compute' ? rule.expression(root) : computedWithin(rule as Branch, kept.get(name), root)
    if (value !== undefined) kept.set(name, value)
  }
  return kept
}

function computedWithin (branch: Branch, value: Value | undefined, root: Doc): Value {
  if (Array.isArray(value)) return value.map(item => computedWithin(branch, item, root))
  return withComputed(branch, value instanceof Map ? value : new Map(), root)
}
