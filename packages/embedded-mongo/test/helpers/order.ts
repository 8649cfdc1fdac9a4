/** MongoDB's order of values once more, value by value: what the engine's own order, which is mostly that of bytes, is compared with. */
import { compareStrings } from '../../src/keys/compare.ts'
import { compareDecimals, exactDecimal, unpackDecimal } from './decimals.ts'
import {
  Binary, Code, DateTime, Decimal128, Int32, ObjectId, Regex, TYPE, Timestamp, typeOf, type Doc, type Sym, type TypeName, type Value
} from '../../src/values/values.ts'

/** The order of types; those that stand together are compared by value. */
const ORDER: readonly (readonly TypeName[])[] = [
  ['minKey'], ['undefined'], ['null'], ['double', 'int', 'long', 'decimal'], ['string', 'symbol'], ['object'], ['array'], ['binData'],
  ['objectId'], ['bool'], ['date'], ['timestamp'], ['regex'], ['javascript'], ['javascriptWithScope'], ['maxKey']
]

/** Where a type stands in the order, by its type byte. */
const RANKS = new Uint8Array(256)
for (const [rank, names] of ORDER.entries()) for (const name of names) RANKS[TYPE[name]] = rank

/** The rank of a value's type in the order of types. */
function rankOf (value: Value): number {
  return RANKS[typeOf(value)] as number
}

/** Orders two values as MongoDB sorts them; a missing value counts as null. */
export function orderOf (a: Value | undefined, b: Value | undefined): number {
  if (a === b) return 0
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  const left = a ?? null
  const right = b ?? null
  const rank = rankOf(left)
  const byRank = rank - rankOf(right)
  return byRank !== 0 ? byRank : compareWithinRank(left, right, rank)
}

/** Orders two values whose types have the same rank. */
function compareWithinRank (a: Value, b: Value, rank: number): number {
  if (rank === RANKS[TYPE.int]) return compareNumbers(a as NumericValue, b as NumericValue)
  if (rank === RANKS[TYPE.string]) return compareStrings(stringOf(a as string | Sym), stringOf(b as string | Sym))
  if (a instanceof ObjectId) return compareObjectIds(a, b as ObjectId)
  if (a instanceof Map) return compareDocs(a, b as Doc)
  if (Array.isArray(a)) return compareArrays(a, b as Value[])
  if (typeof a === 'boolean') return Number(a) - Number(b)
  if (a instanceof DateTime) return a.high - (b as DateTime).high || (a.low >>> 0) - ((b as DateTime).low >>> 0)
  return compareRare(a, b)
}

type NumericValue = number | bigint | Int32 | Decimal128

/** Orders numbers of any two types by their exact values; NaN is below all numbers and equal to itself. */
function compareNumbers (a: NumericValue, b: NumericValue): number {
  const left = a instanceof Int32 ? a.value : a
  const right = b instanceof Int32 ? b.value : b
  if (left instanceof Decimal128 || right instanceof Decimal128) return compareDecimals(decimalOf(left), decimalOf(right))
  // JavaScript compares a bigint with a number by their mathematical values.
  if (left < right) return -1
  if (left > right) return 1
  return Number(!Number.isNaN(left)) - Number(!Number.isNaN(right))
}

function decimalOf (value: number | bigint | Decimal128) {
  return value instanceof Decimal128 ? unpackDecimal(value) : exactDecimal(value)
}

const stringOf = (value: string | Sym) => typeof value === 'string' ? value : value.value

function compareObjectIds (a: ObjectId, b: ObjectId): number {
  return (a.a >>> 0) - (b.a >>> 0) || (a.b >>> 0) - (b.b >>> 0) || (a.c >>> 0) - (b.c >>> 0)
}

/** Field by field in their stored order: the type's rank, then the name, then the value; a prefix is smaller. */
function compareDocs (a: Doc, b: Doc): number {
  const others = b.entries()
  for (const [name, value] of a) {
    const next = others.next()
    if (next.done === true) return 1
    const [otherName, other] = next.value
    const rank = rankOf(value)
    const order = rank - rankOf(other) || compareStrings(name, otherName) || compareWithinRank(value, other, rank)
    if (order !== 0) return order
  }
  return a.size - b.size
}

function compareArrays (a: Value[], b: Value[]): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const order = orderOf(a[i], b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareRare (a: Value, b: Value): number {
  if (a instanceof Binary) {
    const other = b as Binary
    return a.bytes.length - other.bytes.length || a.subtype - other.subtype || Buffer.compare(a.bytes, other.bytes)
  }
  if (a instanceof Timestamp) return a.seconds - (b as Timestamp).seconds || a.ordinal - (b as Timestamp).ordinal
  if (a instanceof Regex) return compareStrings(a.pattern, (b as Regex).pattern) || compareStrings(a.flags, (b as Regex).flags)
  if (a instanceof Code) {
    const other = b as Code
    return compareStrings(a.code, other.code) || (a.scope === undefined ? 0 : compareDocs(a.scope, other.scope as Doc))
  }
  return 0
}
