/** Sums with MongoDB's result types: the wider of the two, and int64 when an int32 overflows. Decimals are refused. */
import { notImplemented } from './errors.ts'
import { Decimal128, Int32, int32, isNumeric, toNumber, type Value } from './values.ts'

export type NumericValue = number | bigint | Int32 | Decimal128

/** The sum; undefined when it does not fit an int64. */
export function add (a: NumericValue, b: NumericValue): NumericValue | undefined {
  if (a instanceof Decimal128 || b instanceof Decimal128) throw decimalsRefused()
  if (typeof a === 'number' || typeof b === 'number') return toNumber(a) + toNumber(b)
  const sum = toBigInt(a) + toBigInt(b)
  if (a instanceof Int32 && b instanceof Int32 && BigInt.asIntN(32, sum) === sum) return int32(Number(sum))
  return BigInt.asIntN(64, sum) === sum ? sum : undefined
}

const toBigInt = (value: NumericValue) => typeof value === 'bigint' ? value : BigInt(toNumber(value))

const decimalsRefused = () => notImplemented('arithmetic with Decimal128 is not supported')

/** Sums exactly: integers as integers, doubles with the error of each addition carried along. */
export class Sum {
  private widest: 'int' | 'long' | 'double' = 'int'
  private integers = 0n
  private doubles = 0
  private carried = 0

  /** What is no number does not count. */
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
    const lost = Math.abs(this.doubles) >= Math.abs(value) ? this.doubles - total + value : value - total + this.doubles
    this.doubles = total
    if (Number.isFinite(lost)) this.carried += lost
  }

  result (): NumericValue {
    if (this.widest === 'double') {
      this.addDouble(Number(this.integers))
      return this.doubles + this.carried
    }
    if (this.widest === 'int' && BigInt.asIntN(32, this.integers) === this.integers) return int32(Number(this.integers))
    return BigInt.asIntN(64, this.integers) === this.integers ? this.integers : Number(this.integers)
  }
}
