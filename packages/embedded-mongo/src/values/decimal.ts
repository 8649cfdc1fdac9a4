/**
 * Exact decimals, to compare numbers of all types without losing a digit: every finite double or integer is one too.
 */
import type { Decimal128 } from './values.ts'

/** `coefficient * 10 ** exponent`. */
export interface Decimal { coefficient: bigint, exponent: number }

const EXPONENT_BIAS = 6176
const COEFFICIENT_MAX = 10n ** 34n - 1n

/** Unpacks the binary integer encoding of IEEE 754-2008. Returns a double for NaN and the infinities. */
export function unpackDecimal (value: Decimal128): Decimal | number {
  const view = new DataView(value.bytes.buffer, value.bytes.byteOffset, 16)
  const high = view.getBigUint64(8, true)
  const negative = high >> 63n === 1n
  const combination = Number(high >> 58n & 31n)
  if (combination === 31) return NaN
  if (combination === 30) return negative ? -Infinity : Infinity
  // The form with an implied leading 100 exceeds 34 digits. It is not canonical and counts as zero.
  const large = combination >> 3 === 3
  const exponent = Number(high >> (large ? 47n : 49n) & 0x3fffn) - EXPONENT_BIAS
  const digits = large ? 0n : (high & 0x1ffffffffffffn) << 64n | view.getBigUint64(0, true)
  const coefficient = digits > COEFFICIENT_MAX ? 0n : digits
  return { coefficient: negative ? -coefficient : coefficient, exponent }
}

const bits = new Float64Array(1)
const bigBits = new BigUint64Array(bits.buffer)

/** The exact value of a finite double. */
function exactDecimal (value: number): Decimal {
  bits[0] = value
  const raw = bigBits[0] as bigint
  const biased = Number(raw >> 52n & 0x7ffn)
  const fraction = raw & 0xfffffffffffffn
  const magnitude = biased === 0 ? fraction : fraction | 1n << 52n
  const mantissa = value < 0 ? -magnitude : magnitude
  const power = (biased === 0 ? 1 : biased) - 1075
  if (power >= 0) return { coefficient: mantissa << BigInt(power), exponent: 0 }
  return { coefficient: mantissa * 5n ** BigInt(-power), exponent: power }
}

function compareDecimals (a: Decimal, b: Decimal): number {
  const exponent = Math.min(a.exponent, b.exponent)
  const left = a.coefficient * 10n ** BigInt(a.exponent - exponent)
  const right = b.coefficient * 10n ** BigInt(b.exponent - exponent)
  return left < right ? -1 : left > right ? 1 : 0
}

/** The greatest double that is not above a decimal, and whether the two are equal. */
export function floorDouble (decimal: Decimal): { floor: number, exact: boolean } {
  const nearest = Number(`${decimal.coefficient}e${decimal.exponent}`)
  if (!Number.isFinite(nearest)) return { floor: nearest > 0 ? Number.MAX_VALUE : nearest, exact: false }
  const order = compareDecimals(exactDecimal(nearest), decimal)
  return { floor: order > 0 ? nextDown(nearest) : nearest, exact: order === 0 }
}

function nextDown (value: number): number {
  if (value === 0) return -Number.MIN_VALUE
  bits[0] = value
  bigBits[0] = (bigBits[0] as bigint) + (value > 0 ? -1n : 1n)
  return bits[0]
}
