/** `$group` and its accumulators. */
import { Sum } from '../values/arithmetic.ts'
import { compareValues } from '../keys/compare.ts'
import { mongoError, typeMismatch } from '../values/errors.ts'
import { parseExpression, type Expression } from './expression.ts'
import { valueKey } from '../keys/key-bytes.ts'
import { checkMemory, sizeOf } from '../values/memory.ts'
import { PAUSE, type Flow } from '../values/slices.ts'
import { BsonUndefined, int32, type Doc, type Value } from '../values/values.ts'

interface Accumulator {
  /** Approximate memory of the values that it keeps. */
  bytes?: number
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
  if (Array.isArray(operand) && operand.length !== 1) {
    throw mongoError(40237, `The ${name} accumulator is a unary operator`)
  }
  return { create, expression: parseExpression(Array.isArray(operand) ? operand[0] as Value : operand) }
}

type Replaces = (value: Value | undefined, best: Value | undefined, isFirst: boolean) => boolean

/** Keeps one value: `replaces` says whether the next value, possibly the first of the group, replaces the kept one. */
const kept = (replaces: Replaces) => (): Accumulator => {
  let best: Value | undefined
  let isFirst = true
  const accumulator = {
    bytes: 0,
    add: (value: Value | undefined) => {
      if (replaces(value, best, isFirst)) {
        best = value
        accumulator.bytes = sizeOf(value)
      }
      isFirst = false
    },
    result: () => best
  }
  return accumulator
}

/** The least or greatest value; null, undefined and missing do not count. */
const extreme = (sign: 1 | -1) => kept((value, best) =>
  value !== undefined && value !== null && !(value instanceof BsonUndefined) &&
    (best === undefined || compareValues(value, best) * sign > 0))

function push (): Accumulator {
  const items: Value[] = []
  const accumulator = {
    bytes: 0,
    add: (value: Value | undefined) => {
      if (value === undefined) return
      items.push(value)
      accumulator.bytes += sizeOf(value)
    },
    result: () => items
  }
  return accumulator
}

const ACCUMULATORS = new Map<string, () => Accumulator>([
  ['$sum', () => new Sum()],
  ['$count', () => new Sum()],
  ['$max', extreme(1)],
  ['$min', extreme(-1)],
  ['$first', kept((_value, _best, isFirst) => isFirst)],
  ['$last', kept(() => true)],
  ['$push', push]
])

/** Approximate memory of a group, and of each of its accumulators, without the values that they keep. */
const GROUP_BYTES = 200
const ACCUMULATOR_BYTES = 150

interface Group { id: Value, fields: { name: string, expression: Expression, accumulator: Accumulator }[] }

/** Yields one document for each group, in the order in which the groups first occur. */
export function * group (id: Expression, fields: ReadonlyMap<string, AccumulatorSpec>, docs: Flow): Flow {
  let bytes = 0
  const groups = new Map<string, Group>()
  for (const doc of docs) {
    if (doc === PAUSE) {
      yield doc
      continue
    }
    const value = id(doc) ?? null
    const key = valueKey(value)
    let found = groups.get(key)
    if (found === undefined) {
      found = {
        id: value,
        fields: [...fields].map(([name, { create, expression }]) => ({ name, expression, accumulator: create() }))
      }
      groups.set(key, found)
      bytes += GROUP_BYTES + key.length + sizeOf(value) + ACCUMULATOR_BYTES * fields.size
    }
    for (const { accumulator, expression } of found.fields) {
      bytes -= accumulator.bytes ?? 0
      accumulator.add(expression(doc))
      bytes += accumulator.bytes ?? 0
    }
    checkMemory(bytes, '$group')
  }
  for (const { id, fields } of groups.values()) {
    const doc: Doc = new Map([['_id', id]])
    for (const { name, accumulator } of fields) doc.set(name, accumulator.result() ?? null)
    yield doc
  }
}
