/** Sums and products with MongoDB's result types: the wider of the two, and int64 when an int32 overflows. */
import { addDecimals, exactDecimal, multiplyDecimals, packDecimal, roundedDecimal, unpackDecimal, type Decimal } from './decimal.ts'
import { Decimal128, Int32, int32 } from './values.ts'

export type NumericValue = number | bigint | Int32 | Decimal128

interface Operation {
  double: (a: number, b: number) => number
  integer: (a: bigint, b: bigint) => bigint
  decimal: (a: Decimal, b: Decimal) => Decimal
}

const ADD: Operation = { double: (a, b) => a + b, integer: (a, b) => a + b, decimal: addDecimals }
const MULTIPLY: Operation = { double: (a, b) => a * b, integer: (a, b) => a * b, decimal: multiplyDecimals }

/** The sum; undefined when it does not fit an int64. */
export const add = (a: NumericValue, b: NumericValue) => calculate(ADD, a, b)

/** The product; undefined when it does not fit an int64. */
export const multiply = (a: NumericValue, b: NumericValue) => calculate(MULTIPLY, a, b)

/** The negation, of the same type where it fits. */
export const negate = (a: NumericValue) => multiply(a, int32(-1))

function calculate (operation: Operation, a: NumericValue, b: NumericValue): NumericValue | undefined {
  if (a instanceof Decimal128 || b instanceof Decimal128) return packDecimal(operation.decimal(toDecimal(a), toDecimal(b)))
  if (typeof a === 'number' || typeof b === 'number') return operation.double(toDouble(a), toDouble(b))
  const result = operation.integer(toBigInt(a), toBigInt(b))
  if (a instanceof Int32 && b instanceof Int32 && BigInt.asIntN(32, result) === result) return int32(Number(result))
  return BigInt.asIntN(64, result) === result ? result : undefined
}

function toDecimal (value: NumericValue): Decimal {
  if (value instanceof Decimal128) return unpackDecimal(value)
  return typeof value === 'number' ? roundedDecimal(value) : exactDecimal(toBigInt(value))
}

function toDouble (value: number | bigint | Int32): number {
  return value instanceof Int32 ? value.value : Number(value)
}

function toBigInt (value: bigint | Int32): bigint {
  return value instanceof Int32 ? BigInt(value.value) : value
}
