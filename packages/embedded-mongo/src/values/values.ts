/**
 * BSON values with their exact types. A `number` is a double, a `bigint` an int64. Types that JavaScript does not have
 * are classes. `undefined` is never a value: it means that a field is missing. BSON's own deprecated undefined is
 * `BsonUndefined`.
 */
import { Decimal128 as BsonDecimal128, ObjectId as BsonObjectId } from 'bson'

/** BSON's type bytes, by their names in `$type`. */
export const TYPE = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: 255,
  maxKey: 127
} as const

export type TypeName = keyof typeof TYPE

const TYPE_NAMES = new Map<number, TypeName>(Object.entries(TYPE).map(([name, code]) => [code, name as TypeName]))

export type Value =
  | string | number | bigint | boolean | null
  | Int32 | Decimal128 | ObjectId | DateTime | Timestamp | Binary | Regex | Code | Sym | BsonUndefined | MinKey | MaxKey
  | Value[] | Map<string, Value>

/** Values of rare types: the encoders test for them last. */
export type RareValue = Decimal128 | Timestamp | Binary | Regex | Code | Sym | BsonUndefined | MinKey | MaxKey

/** A document. A Map keeps the order of fields whatever their names are; an object would not. */
export type Doc = Map<string, Value>

/** An empty document. Danger: it is shared and must not be changed. */
export const NOTHING: Doc = new Map()

export class Int32 {
  readonly value: number
  constructor (value: number) { this.value = value | 0 }
  get bsonType () { return TYPE.int }
}

export const int32 = (value: number) => new Int32(value)

/** An IEEE 754-2008 decimal, as its 16 little-endian bytes. */
export class Decimal128 {
  readonly bytes: Uint8Array
  constructor (bytes: Uint8Array) { this.bytes = bytes }
  get bsonType () { return TYPE.decimal }
  static fromString (text: string): Decimal128 { return new Decimal128(BsonDecimal128.fromString(text).bytes) }
  toString (): string { return new BsonDecimal128(this.bytes).toString() }
}

/** Twelve bytes as three big-endian words, each a signed 32-bit integer: fast to compare, without a buffer. */
export class ObjectId {
  readonly a: number
  readonly b: number
  readonly c: number
  constructor (a: number, b: number, c: number) {
    this.a = a | 0
    this.b = b | 0
    this.c = c | 0
  }

  get bsonType () { return TYPE.objectId }

  static generate (): ObjectId {
    const bytes = Buffer.from(new BsonObjectId().id)
    return new ObjectId(bytes.readInt32BE(0), bytes.readInt32BE(4), bytes.readInt32BE(8))
  }

  toHex (): string {
    return hexWord(this.a) + hexWord(this.b) + hexWord(this.c)
  }
}

const hexWord = (word: number) => (word >>> 0).toString(16).padStart(8, '0')

/** Milliseconds since 1970 as the two halves of an int64, so that every date is stored as it came. */
export class DateTime {
  readonly high: number
  readonly low: number
  constructor (high: number, low: number) {
    this.high = high | 0
    this.low = low | 0
  }

  get bsonType () { return TYPE.date }
  static fromMs (ms: number): DateTime { return new DateTime(Math.floor(ms / 0x100000000), ms) }
  get ms (): number { return this.high * 0x100000000 + (this.low >>> 0) }
  get bigintMs (): bigint { return BigInt(this.high) << 32n | BigInt(this.low >>> 0) }
}

/** MongoDB's internal timestamp: seconds and an ordinal within the second, both unsigned. */
export class Timestamp {
  readonly seconds: number
  readonly ordinal: number
  constructor (seconds: number, ordinal: number) {
    this.seconds = seconds >>> 0
    this.ordinal = ordinal >>> 0
  }

  get bsonType () { return TYPE.timestamp }
}

export class Binary {
  readonly bytes: Uint8Array
  readonly subtype: number
  constructor (bytes: Uint8Array, subtype = 0) {
    this.bytes = bytes
    this.subtype = subtype
  }

  get bsonType () { return TYPE.binData }
}

export class Regex {
  readonly pattern: string
  readonly flags: string
  constructor (pattern: string, flags = '') {
    this.pattern = pattern
    this.flags = flags
  }

  get bsonType () { return TYPE.regex }
}

/** JavaScript code, with or without a scope. */
export class Code {
  readonly code: string
  readonly scope: Doc | undefined
  constructor (code: string, scope?: Doc) {
    this.code = code
    this.scope = scope
  }

  get bsonType () { return this.scope === undefined ? TYPE.javascript : TYPE.javascriptWithScope }
}

export class Sym {
  readonly value: string
  constructor (value: string) { this.value = value }
  get bsonType () { return TYPE.symbol }
}

export class BsonUndefined { get bsonType () { return TYPE.undefined } }
export class MinKey { get bsonType () { return TYPE.minKey } }
export class MaxKey { get bsonType () { return TYPE.maxKey } }

export const UNDEFINED = new BsonUndefined()
export const MIN_KEY = new MinKey()
export const MAX_KEY = new MaxKey()

export function typeOf (value: Value): number {
  if (typeof value === 'string') return TYPE.string
  if (value === null) return TYPE.null
  if (typeof value === 'object') {
    if (value instanceof Map) return TYPE.object
    return Array.isArray(value) ? TYPE.array : value.bsonType
  }
  if (typeof value === 'number') return TYPE.double
  return typeof value === 'boolean' ? TYPE.bool : TYPE.long
}

/** The name of a value's type in `$type` and in error messages; `missing` for no value. */
export function typeName (value: Value | undefined): TypeName | 'missing' {
  return value === undefined ? 'missing' : TYPE_NAMES.get(typeOf(value)) as TypeName
}

export const isDoc = (value: Value | undefined): value is Doc => value instanceof Map

export function isNumeric (value: Value | undefined): value is number | bigint | Int32 | Decimal128 {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Int32 || value instanceof Decimal128
}

/** The nearest double of a numeric value; NaN for anything else. */
export function toNumber (value: Value | undefined): number {
  if (typeof value === 'number') return value
  if (value instanceof Int32) return value.value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Decimal128) return Number(value.toString())
  return NaN
}

/** The value as an integer if it is numeric, whole and safe, else undefined. */
export function toInteger (value: Value | undefined): number | undefined {
  const number = toNumber(value)
  return Number.isSafeInteger(number) ? number + 0 : undefined
}

/** As in MongoDB, false, null, undefined, missing and numeric zero are false. */
export function isTruthy (value: Value | undefined): boolean {
  if (value === undefined || value === null || value === false || value instanceof BsonUndefined) return false
  return isNumeric(value) ? toNumber(value) !== 0 : true
}

/** Fields whose value is undefined are left out. */
export function docOf (fields: Record<string, Value | undefined>): Doc {
  const doc: Doc = new Map()
  for (const name in fields) {
    const value = fields[name]
    if (value !== undefined) doc.set(name, value)
  }
  return doc
}
