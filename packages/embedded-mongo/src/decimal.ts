/**
 * Exact decimal numbers: what Decimal128 needs to be compared with the other numeric types without losing a digit, and its arithmetic.
 * Any finite double or integer is an exact decimal too, so one comparison serves all pairs of types.
 */
import { Decimal128 } from './values.ts'

/** `coefficient * 10 ** exponent`, negated when `negative`; or a NaN, or an infinity. */
export type Decimal =
  | { kind: 'finite', negative: boolean, coefficient: bigint, exponent: number }
  | { kind: 'infinite', negative: boolean }
  | { kind: 'nan' }

type Finite = Extract<Decimal, { kind: 'finite' }>

const EXPONENT_BIAS = 6176
const EXPONENT_MAX = 6111
const DIGITS = 34
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

/** Packs a decimal, rounding half to even to 34 digits; beyond the largest exponent it is an infinity, below the smallest it rounds to zero. */
export function packDecimal (decimal: Decimal): Decimal128 {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  let high: bigint
  if (decimal.kind === 'nan') {
    high = 0x7c00000000000000n
  } else {
    const sign = decimal.negative ? 1n << 63n : 0n
    const rounded = decimal.kind === 'finite' ? roundToRange(decimal) : decimal
    if (rounded.kind === 'infinite') {
      high = sign | 0x7800000000000000n
    } else {
      high = sign | BigInt(rounded.exponent + EXPONENT_BIAS) << 49n | rounded.coefficient >> 64n
      view.setBigUint64(0, rounded.coefficient & 0xffffffffffffffffn, true)
    }
  }
  view.setBigUint64(8, high, true)
  return new Decimal128(bytes)
}

function roundToRange (decimal: Finite): Finite | Extract<Decimal, { kind: 'infinite' }> {
  let { coefficient, exponent } = decimal
  const excess = Math.max(coefficient.toString().length - DIGITS, -EXPONENT_BIAS - exponent)
  if (excess > 0) {
    coefficient = divideHalfEven(coefficient, 10n ** BigInt(excess))
    exponent += excess
    // Rounding up can carry into a 35th digit.
    if (coefficient > COEFFICIENT_MAX) {
      coefficient /= 10n
      exponent++
    }
  }
  if (coefficient === 0n) exponent = Math.min(exponent, EXPONENT_MAX)
  while (exponent > EXPONENT_MAX && coefficient * 10n <= COEFFICIENT_MAX) {
    coefficient *= 10n
    exponent--
  }
  if (exponent > EXPONENT_MAX) return { kind: 'infinite', negative: decimal.negative }
  return { ...decimal, coefficient, exponent }
}

function divideHalfEven (dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  const twice = (dividend % divisor) * 2n
  return twice > divisor || (twice === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient
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

/** A double as MongoDB makes a Decimal128 of it: rounded to 15 significant digits. */
export function roundedDecimal (value: number): Decimal {
  if (!Number.isFinite(value)) return exactDecimal(value)
  const [digits, exponent] = value.toExponential(14).split('e') as [string, string]
  const coefficient = BigInt(digits.replace(/[-.]/g, ''))
  if (coefficient === 0n) return { kind: 'finite', negative: Object.is(value, -0), coefficient, exponent: 0 }
  return { kind: 'finite', negative: value < 0, coefficient, exponent: Number(exponent) - 14 }
}

/** The order of two decimals: NaN below everything and equal to itself, zeros equal. */
export function compareDecimals (a: Decimal, b: Decimal): number {
  if (a.kind === 'nan' || b.kind === 'nan') return Number(a.kind !== 'nan') - Number(b.kind !== 'nan')
  const signs = sign(a) - sign(b)
  if (signs !== 0 || sign(a) === 0) return Math.sign(signs)
  return compareMagnitudes(a, b) * sign(a)
}

function sign (a: Exclude<Decimal, { kind: 'nan' }>): number {
  if (a.kind === 'finite' && a.coefficient === 0n) return 0
  return a.negative ? -1 : 1
}

function compareMagnitudes (a: Exclude<Decimal, { kind: 'nan' }>, b: Exclude<Decimal, { kind: 'nan' }>): number {
  if (a.kind === 'infinite' || b.kind === 'infinite') return Number(a.kind === 'infinite') - Number(b.kind === 'infinite')
  const byOrder = order(a) - order(b)
  if (byOrder !== 0) return Math.sign(byOrder)
  const shift = a.exponent - b.exponent
  const left = shift > 0 ? a.coefficient * 10n ** BigInt(shift) : a.coefficient
  const right = shift < 0 ? b.coefficient * 10n ** BigInt(-shift) : b.coefficient
  return left < right ? -1 : left > right ? 1 : 0
}

/** The power of ten just above a finite, non-zero decimal. */
function order (a: Finite): number {
  return a.coefficient.toString().length + a.exponent
}

export function addDecimals (a: Decimal, b: Decimal): Decimal {
  if (a.kind === 'nan' || b.kind === 'nan') return { kind: 'nan' }
  if (a.kind === 'infinite') return b.kind === 'infinite' && b.negative !== a.negative ? { kind: 'nan' } : a
  if (b.kind === 'infinite') return b
  const exponent = Math.min(a.exponent, b.exponent)
  const total = scaled(a, exponent) + scaled(b, exponent)
  const negative = total < 0n || (total === 0n && a.negative && b.negative)
  return { kind: 'finite', negative, coefficient: total < 0n ? -total : total, exponent }
}

function scaled (a: Finite, exponent: number): bigint {
  const value = a.coefficient * 10n ** BigInt(a.exponent - exponent)
  return a.negative ? -value : value
}

export function multiplyDecimals (a: Decimal, b: Decimal): Decimal {
  if (a.kind === 'nan' || b.kind === 'nan') return { kind: 'nan' }
  const negative = a.negative !== b.negative
  if (a.kind === 'infinite' || b.kind === 'infinite') {
    return sign(a) === 0 || sign(b) === 0 ? { kind: 'nan' } : { kind: 'infinite', negative }
  }
  return { kind: 'finite', negative, coefficient: a.coefficient * b.coefficient, exponent: a.exponent + b.exponent }
}

/** The greatest double that is not above a decimal; a NaN for NaN. */
export function floorDouble (decimal: Decimal): number {
  if (decimal.kind === 'nan') return NaN
  if (decimal.kind === 'infinite') return decimal.negative ? -Infinity : Infinity
  const nearest = Number(`${decimal.negative ? '-' : ''}${decimal.coefficient}e${decimal.exponent}`)
  return compareDecimals(exactDecimal(nearest), decimal) > 0 ? nextDown(nearest) : nearest
}

function nextDown (value: number): number {
  if (value === 0) return -Number.MIN_VALUE
  bits[0] = value
  bigBits[0] = (bigBits[0] as bigint) + (value > 0 ? -1n : 1n)
  return bits[0]
}
