/** Sums with MongoDB's result types: the wider of the two, or int64 if an int32 overflows. Decimals are refused. */
import { notImplemented } from './errors.ts'
import { Decimal128, Int32, int32, isNumeric, toNumber, type Value } from './values.ts'

export type NumericValue = number | bigint | Int32 | Decimal128

/** The sum; undefined if it does not fit an int64. */
export function add (a: NumericValue, b: NumericValue): NumericValue | undefined {
  if (a instanceof Decimal128 || b instanceof Decimal128) throw decimalsRefused()
  if (typeof a === 'number' || typeof b === 'number') return toNumber(a) + toNumber(b)
  const sum = toBigInt(a) + toBigInt(b)
  if (a instanceof Int32 && b instanceof Int32 && BigInt.asIntN(32, sum) === sum) return int32(Number(sum))
  return BigInt.asIntN(64, sum) === sum ? sum : undefined
}

const toBigInt = (value: NumericValue) => typeof value === 'bigint' ? value : BigInt(toNumber(value))

const decimalsRefused = () => notImplemented('arithmetic with Decimal128 is not supported')

/** An exact sum: integers are added as integers, doubles with the rounding error of each addition. */
export class Sum {
  private widest: 'int' | 'long' | 'double' = 'int'
  private integers = 0n
  private doubles = 0
  private carried = 0

  /** Values that are not numbers do not count. */
  add (value: Value | undefined) {
    if (!isNumeric(value)) return
    if (value instanceof Decimal128) throw decimalsRefused()
    if (typeof value === 'number') {
      this.addDouble(value)
      this.widest = 'double'
    } else {
      this.integers += value instanceof Int32 ? BigInt(value.value) : value
      if (typeof value === 'bigint' && this.widest === 'int') this.widest = 'long'
    }
  }

  private addDouble (value: number) {
    const total = this.doubles + value
    const [larger, smaller] = Math.abs(this.doubles) >= Math.abs(value) ? [this.doubles, value] : [value, this.doubles]
    const lost = larger - total + smaller
    this.doubles = total
    if (Number.isFinite(lost)) this.carried += lost
  }

  result (): NumericValue {
    if (this.widest === 'double') {
      this.addDouble(Number(this.integers))
      return this.doubles + this.carried
    }
    const isInt32 = BigInt.asIntN(32, this.integers) === this.integers
    if (this.widest === 'int' && isInt32) return int32(Number(this.integers))
    return BigInt.asIntN(64, this.integers) === this.integers ? this.integers : Number(this.integers)
  }
}
