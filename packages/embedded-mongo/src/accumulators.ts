/** What `$group` computes over the documents of a group. */
import { addDecimals, exactDecimal, packDecimal, roundedDecimal, unpackDecimal, type Decimal } from './decimal.ts'
import { compareValues } from './compare.ts'
import { mongoError, notImplemented } from './errors.ts'
import { parseExpression, type Expression } from './expression.ts'
import { encodeKey } from './key-bytes.ts'
import { BsonUndefined, Int32, int32, isNumeric, type Doc, type Value } from './values.ts'

export interface Accumulator {
  add (value: Value | undefined): void
  result (): Value | undefined
}

export interface AccumulatorSpec { create: () => Accumulator, expression: Expression }

/** Parses `{ $accumulator: expression }`. */
export function parseAccumulator (field: string, spec: Value): AccumulatorSpec {
  if (!(spec instanceof Map)) throw mongoError(40234, `The field '${field}' must be an accumulator object`)
  if (spec.size !== 1) throw mongoError(40238, `The field '${field}' must specify one accumulator`)
  const [name, operand] = spec.entries().next().value as [string, Value]
  const create = ACCUMULATORS.get(name)
  if (create === undefined) {
    if (/^\$(avg|stdDevPop|stdDevSamp|mergeObjects|top|bottom|topN|bottomN|firstN|lastN|maxN|minN|median|percentile|accumulator)$/.test(name)) {
      throw notImplemented(`group operator '${name}' is not supported`)
    }
    throw mongoError(15952, `unknown group operator '${name}'`)
  }
  if (name === '$count') {
    if (!(operand instanceof Map) || operand.size > 0) throw mongoError('TypeMismatch', '$count takes no arguments, i.e. $count:{}')
    return { create, expression: () => int32(1) }
  }
  if (Array.isArray(operand) && operand.length !== 1) throw mongoError(40237, `The ${name} accumulator is a unary operator`)
  return { create, expression: parseExpression(Array.isArray(operand) ? operand[0] as Value : operand) }
}

/** Sums exactly: integers as integers, doubles with the error of each addition carried along, decimals as decimals. */
class Sum implements Accumulator {
  private widest: 'int' | 'long' | 'double' | 'decimal' = 'int'
  private integers = 0n
  private doubles = 0
  private carried = 0
  private decimals: Decimal = exactDecimal(0n)

  add (value: Value | undefined) {
    if (!isNumeric(value)) return
    if (value instanceof Int32) {
      this.integers += BigInt(value.value)
    } else if (typeof value === 'bigint') {
      this.integers += value
      if (this.widest === 'int') this.widest = 'long'
    } else if (typeof value === 'number') {
      this.addDouble(value)
      if (this.widest !== 'decimal') this.widest = 'double'
    } else {
      this.decimals = addDecimals(this.decimals, unpackDecimal(value))
      this.widest = 'decimal'
    }
  }

  private addDouble (value: number) {
    const total = this.doubles + value
    const lost = Math.abs(this.doubles) >= Math.abs(value) ? this.doubles - total + value : value - total + this.doubles
    this.doubles = total
    if (Number.isFinite(lost)) this.carried += lost
  }

  result (): Value {
    if (this.widest === 'decimal') {
      const whole = addDecimals(this.decimals, exactDecimal(this.integers))
      return packDecimal(this.doubles === 0 ? whole : addDecimals(whole, roundedDecimal(this.doubles + this.carried)))
    }
    if (this.widest === 'double') {
      this.addDouble(Number(this.integers))
      this.integers = 0n
      return this.doubles + this.carried
    }
    if (this.widest === 'int' && BigInt.asIntN(32, this.integers) === this.integers) return int32(Number(this.integers))
    return BigInt.asIntN(64, this.integers) === this.integers ? this.integers : Number(this.integers)
  }
}

/** The least or greatest value; null, undefined and missing do not count. */
class Extreme implements Accumulator {
  private readonly sign: 1 | -1
  private best: Value | undefined
  constructor (sign: 1 | -1) { this.sign = sign }
  add (value: Value | undefined) {
    if (value === undefined || value === null || value instanceof BsonUndefined) return
    if (this.best === undefined || compareValues(value, this.best) * this.sign > 0) this.best = value
  }

  result () { return this.best }
}

class First implements Accumulator {
  private seen = false
  private value: Value | undefined
  add (value: Value | undefined) {
    if (!this.seen) this.value = value
    this.seen = true
  }

  result () { return this.value }
}

class Last implements Accumulator {
  private value: Value | undefined
  add (value: Value | undefined) { this.value = value }
  result () { return this.value }
}

class Push implements Accumulator {
  private readonly items: Value[] = []
  add (value: Value | undefined) { if (value !== undefined) this.items.push(value) }
  result () { return this.items }
}

class AddToSet implements Accumulator {
  private readonly items = new Map<string, Value>()
  add (value: Value | undefined) {
    if (value === undefined) return
    const key = groupKey(value)
    if (!this.items.has(key)) this.items.set(key, value)
  }

  result () { return [...this.items.values()] }
}

const ACCUMULATORS = new Map<string, () => Accumulator>([
  ['$sum', () => new Sum()],
  ['$count', () => new Sum()],
  ['$max', () => new Extreme(1)],
  ['$min', () => new Extreme(-1)],
  ['$first', () => new First()],
  ['$last', () => new Last()],
  ['$push', () => new Push()],
  ['$addToSet', () => new AddToSet()]
])

const GROUP_FIELD = [{ path: '', direction: 1 as const }]

/** A string that equal values, and only those, have in common. */
function groupKey (value: Value): string {
  return encodeKey([value], GROUP_FIELD).toString('latin1')
}

/** Groups documents in the order in which their groups first occur. */
export function * group (id: Expression, fields: ReadonlyMap<string, AccumulatorSpec>, docs: Iterable<Doc>): Iterable<Doc> {
  const specs = [...fields]
  const groups = new Map<string, { id: Value, accumulators: Accumulator[] }>()
  for (const doc of docs) {
    const value = id(doc) ?? null
    const key = groupKey(value)
    let found = groups.get(key)
    if (found === undefined) groups.set(key, found = { id: value, accumulators: specs.map(([, spec]) => spec.create()) })
    for (let i = 0; i < specs.length; i++) (found.accumulators[i] as Accumulator).add((specs[i] as [string, AccumulatorSpec])[1].expression(doc))
  }
  for (const { id, accumulators } of groups.values()) {
    yield new Map<string, Value>([['_id', id], ...specs.map(([name], i): [string, Value] => [name, (accumulators[i] as Accumulator).result() ?? null])])
  }
}
