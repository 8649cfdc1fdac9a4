/**
 * MongoDB's total order of all values: by type first (all numbers are one type, strings and symbols another), then
 * within a type. Common types are compared directly, the others by their keys, whose bytes have the same order
 * (encode.ts).
 */
import { encode } from '../bson/encode.ts'
import { appendKeyValue, beginKey, rankOf, takeKey } from './encode.ts'
import { DateTime, Decimal128, Int32, ObjectId, isNumeric, typeOf, type Value } from '../values/values.ts'

/** A missing value counts as null. */
export function compareValues (a: Value | undefined, b: Value | undefined): number {
  if (a === b) return 0
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  const left = a instanceof Int32 ? a.value : a ?? null
  const right = b instanceof Int32 ? b.value : b ?? null
  const byRank = rankOf(left) - rankOf(right)
  if (byRank !== 0) return byRank
  if (isNumeric(left) && !(left instanceof Decimal128 || right instanceof Decimal128)) {
    return compareNumbers(left as number, right as number)
  }
  if (left instanceof ObjectId) return compareObjectIds(left, right as ObjectId)
  if (left instanceof DateTime) return compareDates(left, right as DateTime)
  return Buffer.compare(keyOf(left), keyOf(right))
}

/** NaN is below all numbers and equal to itself. JavaScript compares a bigint with a number by mathematical value. */
function compareNumbers (a: number | bigint, b: number | bigint): number {
  if (a < b) return -1
  if (a > b) return 1
  return Number(!Number.isNaN(a)) - Number(!Number.isNaN(b))
}

function keyOf (value: Value): Buffer {
  beginKey()
  appendKeyValue(value, false)
  return takeKey()
}

/** Orders strings by code points, as their UTF-8 bytes. JavaScript's own order differs for surrogates. */
export function compareStrings (a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return codePointOrder(left) - codePointOrder(right)
  }
  return a.length - b.length
}

/** Moves surrogates above all other code units, because they stand for higher code points. */
function codePointOrder (unit: number): number {
  return unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

function compareDates (a: DateTime, b: DateTime): number {
  return a.high - b.high || (a.low >>> 0) - (b.low >>> 0)
}

function compareObjectIds (a: ObjectId, b: ObjectId): number {
  return (a.a >>> 0) - (b.a >>> 0) || (a.b >>> 0) - (b.b >>> 0) || (a.c >>> 0) - (b.c >>> 0)
}

/**
 * Do two values have the same BSON bytes? Values of different types can be equal in the order, but are not identical.
 */
export function identical (a: Value, b: Value): boolean {
  if (a === b) return a !== 0 || Object.is(a, b)
  return typeOf(a) === typeOf(b) && encode(new Map([['', a]])).equals(encode(new Map([['', b]])))
}
