/** Numbers of all types as exact decimals, compared digit by digit: for the order that the engine's own is compared with. */
import type { Decimal128 } from '../../src/values/values.ts'

/** `coefficient * 10 ** exponent`, negated when `negative`; or a NaN, or an infinity. */
export type Decimal =
  | { kind: 'finite', negative: boolean, coefficient: bigint, exponent: number }
  | { kind: 'infinite', negative: boolean }
  | { kind: 'nan' }

type Ordered = Exclude<Decimal, { kind: 'nan' }>

const EXPONENT_BIAS = 6176
const COEFFICIENT_MAX = 10n ** 34n - 1n

/** Unpacks the binary integer encoding of IEEE 754-2008. */
export function unpackDecimal (value: Decimal128): Decimal {
  const view = new DataView(value.bytes.buffer, value.bytes.byteOffset, 16)
  const high = view.getBigUint64(8, true)
  const negative = high >> 63n === 1n
  const combination = Number(high >> 58n & 31n)
  if (combination === 31) return { kind: 'nan' }
  if (combination === 30) return { kind: 'infinite', negative }
  // The form with an implied leading 100 exceeds 34 digits: not canonical, and read as zero.
  const large = combination >> 3 === 3
  const exponent = Number(high >> (large ? 47n : 49n) & 0x3fffn) - EXPONENT_BIAS
  const coefficient = large ? 0n : (high & 0x1ffffffffffffn) << 64n | view.getBigUint64(0, true)
  return { kind: 'finite', negative, coefficient: coefficient > COEFFICIENT_MAX ? 0n : coefficient, exponent }
}

const bits = new Float64Array(1)
const bigBits = new BigUint64Array(bits.buffer)

/** A double or an integer as the exact decimal it stands for. */
export function exactDecimal (value: number | bigint): Decimal {
  if (typeof value === 'bigint') return { kind: 'finite', negative: value < 0n, coefficient: value < 0n ? -value : value, exponent: 0 }
  if (Number.isNaN(value)) return { kind: 'nan' }
  const negative = value < 0 || Object.is(value, -0)
  if (!Number.isFinite(value)) return { kind: 'infinite', negative }
  bits[0] = value
  const raw = bigBits[0] as bigint
  const biased = Number(raw >> 52n & 0x7ffn)
  const fraction = raw & 0xfffffffffffffn
  const mantissa = biased === 0 ? fraction : fraction | 1n << 52n
  const power = (biased === 0 ? 1 : biased) - 1075
  if (power >= 0) return { kind: 'finite', negative, coefficient: mantissa << BigInt(power), exponent: 0 }
  return { kind: 'finite', negative, coefficient: mantissa * 5n ** BigInt(-power), exponent: power }
}

/** The order of two decimals: NaN below everything and equal to itself, zeros equal. */
export function compareDecimals (a: Decimal, b: Decimal): number {
  if (a.kind === 'nan' || b.kind === 'nan') return Number(a.kind !== 'nan') - Number(b.kind !== 'nan')
  const bySign = sign(a) - sign(b)
  if (bySign !== 0 || sign(a) === 0) return Math.sign(bySign)
  return compareMagnitudes(a, b) * sign(a)
}

function sign (a: Ordered): number {
  if (a.kind === 'finite' && a.coefficient === 0n) return 0
  return a.negative ? -1 : 1
}

function compareMagnitudes (a: Ordered, b: Ordered): number {
  if (a.kind === 'infinite' || b.kind === 'infinite') return Number(a.kind === 'infinite') - Number(b.kind === 'infinite')
  // The powers of ten just above them spare most comparisons the scaling, which may be by thousands of digits.
  const byOrder = a.coefficient.toString().length + a.exponent - b.coefficient.toString().length - b.exponent
  if (byOrder !== 0) return Math.sign(byOrder)
  const exponent = Math.min(a.exponent, b.exponent)
  const left = a.coefficient * 10n ** BigInt(a.exponent - exponent)
  const right = b.coefficient * 10n ** BigInt(b.exponent - exponent)
  return left < right ? -1 : left > right ? 1 : 0
}
