/** What `$group` computes over the documents of a group. */
import { Sum } from './arithmetic.ts'
import { compareValues } from './compare.ts'
import { mongoError, typeMismatch } from './errors.ts'
import { parseExpression, type Expression } from './expression.ts'
import { encodeKey } from './key-bytes.ts'
import { BsonUndefined, int32, type Doc, type Value } from './values.ts'

interface Accumulator {
  add: (value: Value | undefined) => void
  result: () => Value | undefined
}

export interface AccumulatorSpec { create: () => Accumulator, expression: Expression }

/** Parses `{ $accumulator: expression }`. */
export function parseAccumulator (field: string, spec: Value): AccumulatorSpec {
  if (!(spec instanceof Map)) throw mongoError(40234, `The field '${field}' must be an accumulator object`)
  if (spec.size !== 1) throw mongoError(40238, `The field '${field}' must specify one accumulator`)
  const [name, operand] = spec.entries().next().value as [string, Value]
  const create = ACCUMULATORS.get(name)
  if (create === undefined) throw mongoError(15952, `unknown group operator '${name}'`)
  if (name === '$count') {
    if (!(operand instanceof Map) || operand.size > 0) throw typeMismatch('$count takes no arguments, i.e. $count:{}')
    return { create, expression: () => int32(1) }
  }
  if (Array.isArray(operand) && operand.length !== 1) throw mongoError(40237, `The ${name} accumulator is a unary operator`)
  return { create, expression: parseExpression(Array.isArray(operand) ? operand[0] as Value : operand) }
}

/** Keeps one of the values: each, with whether it is the group's first, is asked whether it takes the place of the one kept. */
const kept = (takes: (value: Value | undefined, best: Value | undefined, isFirst: boolean) => boolean) => (): Accumulator => {
  let best: Value | undefined
  let isFirst = true
  return {
    add: value => {
      if (takes(value, best, isFirst)) best = value
      isFirst = false
    },
    result: () => best
  }
}

/** The least or greatest value; null, undefined and missing do not count. */
const extreme = (sign: 1 | -1) => kept((value, best) =>
  value !== undefined && value !== null && !(value instanceof BsonUndefined) && (best === undefined || compareValues(value, best) * sign > 0))

function push (): Accumulator {
  const items: Value[] = []
  return {
    add: value => { if (value !== undefined) items.push(value) },
    result: () => items
  }
}

function addToSet (): Accumulator {
  const items = new Map<string, Value>()
  return {
    add: value => { if (value !== undefined && !items.has(groupKey(value))) items.set(groupKey(value), value) },
    result: () => [...items.values()]
  }
}

const ACCUMULATORS = new Map<string, () => Accumulator>([
  ['$sum', () => new Sum()],
  ['$count', () => new Sum()],
  ['$max', extreme(1)],
  ['$min', extreme(-1)],
  ['$first', kept((_value, _best, isFirst) => isFirst)],
  ['$last', kept(() => true)],
  ['$push', push],
  ['$addToSet', addToSet]
])

/** A string that equal values, and only those, have in common. */
function groupKey (value: Value): string {
  return encodeKey([value], [{ path: '', direction: 1 }]).toString('latin1')
}

/** Groups documents in the order in which their groups first occur. */
export function * group (id: Expression, fields: ReadonlyMap<string, AccumulatorSpec>, docs: Iterable<Doc>): Iterable<Doc> {
  const groups = new Map<string, { id: Value, fields: { name: string, expression: Expression, accumulator: Accumulator }[] }>()
  for (const doc of docs) {
    const value = id(doc) ?? null
    const key = groupKey(value)
    let found = groups.get(key)
    if (found === undefined) {
      found = { id: value, fields: [...fields].map(([name, { create, expression }]) => ({ name, expression, accumulator: create() })) }
      groups.set(key, found)
    }
    for (const { accumulator, expression } of found.fields) accumulator.add(expression(doc))
  }
  for (const { id, fields } of groups.values()) {
    const doc: Doc = new Map([['_id', id]])
    for (const { name, accumulator } of fields) doc.set(name, accumulator.result() ?? null)
    yield doc
  }
}
