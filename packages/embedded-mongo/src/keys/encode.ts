/**
 * Encodes values so that the byte order of two keys is the order of their values, as in `compareValues`.
 *
 * Each value is one type byte and a body, and no encoding is the beginning of another. So compound keys are
 * concatenations, and all keys with the same leading values share exactly those bytes. No value begins with 0xff in
 * either direction, so that `prefix + 0xff` is above every key with that prefix. A descending field has all its bits
 * inverted.
 *
 * A number is encoded as the greatest double that is not above it, followed by 0 if that is the number itself, else by
 * 1 and its 34 decimal digits. So equal int64, double and Decimal128 have equal bytes, and others are ordered to the
 * last digit.
 */
import { floorDouble, unpackDecimal, type Decimal } from '../values/decimal.ts'
import {
  Binary, Code, DateTime, Decimal128, Int32, ObjectId, Regex, Sym, TYPE, Timestamp, typeOf,
  type Doc, type RareValue, type TypeName, type Value
} from '../values/values.ts'

const END = 0x01

/** The first byte of a value. Types that are compared with each other share one. */
const TAGS: Record<TypeName, number> = {
  minKey: 0x05,
  undefined: 0x0a,
  null: 0x10,
  double: 0x20,
  int: 0x20,
  long: 0x20,
  decimal: 0x20,
  string: 0x30,
  symbol: 0x30,
  object: 0x38,
  array: 0x40,
  binData: 0x48,
  objectId: 0x50,
  bool: 0x58,
  date: 0x60,
  timestamp: 0x68,
  regex: 0x70,
  javascript: 0x80,
  javascriptWithScope: 0x88,
  // Never stored.
  dbPointer: 0,
  maxKey: 0xf0
}

/** The same, by BSON type byte. */
const RANKS = new Uint8Array(256)
for (const [name, rank] of Object.entries(TAGS)) RANKS[TYPE[name as TypeName]] = rank

/** The rank of a value's type in the order of types. */
export function rankOf (value: Value): number {
  return RANKS[typeOf(value)] as number
}

const CAPACITY_KEPT = 1 << 20
let out = Buffer.allocUnsafeSlow(1 << 14)
let at = 0

const double = new Float64Array(1)
const words = new Int32Array(double.buffer)

/** Begins a key. Only one key can be written at a time. */
export function beginKey () {
  if (out.length > CAPACITY_KEPT) out = Buffer.allocUnsafeSlow(1 << 14)
  at = 0
}

/** Appends one field of the key. A missing value is written as null. */
export function appendKeyValue (value: Value | undefined, descending: boolean) {
  const start = at
  writeValue(value ?? null)
  if (!descending) return
  for (let i = start; i < at; i++) out[i] = ~(out[i] as number)
}

/** Appends a byte that is above the first byte of every value. */
export function appendAboveAll () {
  reserve(1)
  out[at++] = 0xff
}

/** A copy of the bytes written since `beginKey`. */
export function takeKey (): Buffer {
  const key = Buffer.allocUnsafe(at)
  out.copy(key, 0, 0, at)
  return key
}

function reserve (bytes: number) {
  if (at + bytes <= out.length) return
  const larger = Buffer.allocUnsafeSlow(Math.max(out.length * 2, at + bytes))
  out.copy(larger, 0, 0, at)
  out = larger
}

function writeWord (value: number) {
  out[at++] = value >>> 24
  out[at++] = value >>> 16
  out[at++] = value >>> 8
  out[at++] = value
}

function writeValue (value: Value) {
  reserve(48)
  out[at++] = rankOf(value)
  writeBody(value)
}

/** Writes what follows the type byte. The caller has reserved 48 bytes. */
function writeBody (value: Value) {
  if (typeof value === 'string') {
    writeText(value)
  } else if (value instanceof ObjectId) {
    writeObjectId(value)
  } else if (value instanceof Int32) {
    writeDouble(value.value)
    out[at++] = 0
  } else if (typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal128) {
    writeNumber(value)
  } else if (value instanceof DateTime) {
    writeWord(value.high ^ 0x80000000)
    writeWord(value.low)
  } else if (typeof value === 'boolean') {
    out[at++] = value ? 1 : 0
  } else if (value instanceof Map) {
    writeFields(value)
  } else if (Array.isArray(value)) {
    for (const item of value) writeValue(item)
    reserve(1)
    out[at++] = END
  } else if (value !== null) {
    writeRareBody(value)
  }
}

/** UTF-8, with a zero byte written as 00 ff, and 00 00 at the end. */
function writeText (text: string) {
  reserve(text.length * 6 + 2)
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char === 0) {
      out[at++] = 0
      out[at++] = 0xff
    } else if (char < 0x80) {
      out[at++] = char
    } else {
      writeUnicode(text.slice(i))
      break
    }
  }
  out[at++] = 0
  out[at++] = 0
}

function writeUnicode (text: string) {
  if (!text.includes('\0')) {
    at += out.write(text, at, 'utf8')
    return
  }
  for (const byte of Buffer.from(text)) {
    out[at++] = byte
    if (byte === 0) out[at++] = 0xff
  }
}

/** UTF-8 of a text without zero bytes (a name, a pattern), with one at the end. */
function writeName (name: string) {
  reserve(name.length * 3 + 1)
  at += out.write(name, at, 'utf8')
  out[at++] = 0
}

/** Fields in stored order. The type comes before the name, because MongoDB compares it first. */
function writeFields (doc: Doc) {
  for (const [name, value] of doc) {
    reserve(1)
    out[at++] = rankOf(value)
    writeName(name)
    reserve(48)
    writeBody(value)
  }
  reserve(1)
  out[at++] = END
}

function writeObjectId (id: ObjectId) {
  writeWord(id.a)
  writeWord(id.b)
  writeWord(id.c)
}

/** A double's bits, changed so that their order is that of the values. NaN (below -Infinity) is all zeros, -0 is 0. */
function writeDouble (value: number) {
  if (Number.isNaN(value)) {
    out.fill(0, at, at + 8)
    at += 8
    return
  }
  double[0] = value + 0
  const high = words[1] as number
  const low = words[0] as number
  writeWord(high < 0 ? ~high : high | 0x80000000)
  writeWord(high < 0 ? ~low : low)
}

function writeNumber (value: number | bigint | Decimal128) {
  const number = value instanceof Decimal128 ? unpackDecimal(value) : Number(value)
  if (typeof value === 'bigint' && !Number.isSafeInteger(number)) {
    writeDecimal({ coefficient: value, exponent: 0 })
  } else if (typeof number === 'number') {
    writeDouble(number)
    out[at++] = 0
  } else {
    writeDecimal(number)
  }
}

function writeDecimal (decimal: Decimal) {
  const { floor, exact } = floorDouble(decimal)
  writeDouble(floor)
  out[at++] = exact ? 0 : 1
  if (exact) return
  const negative = decimal.coefficient < 0n
  const digits = String(negative ? -decimal.coefficient : decimal.coefficient)
  const order = digits.length + decimal.exponent + 0x4000
  const start = at
  out[at++] = order >>> 8
  out[at++] = order
  at += out.write(digits.padEnd(34, '0'), at, 'hex')
  if (negative) for (let i = start; i < at; i++) out[i] = ~(out[i] as number)
}

function writeRareBody (value: RareValue) {
  if (value instanceof Sym) {
    writeText(value.value)
  } else if (value instanceof Timestamp) {
    writeWord(value.seconds)
    writeWord(value.ordinal)
  } else if (value instanceof Binary) {
    writeWord(value.bytes.length)
    out[at++] = value.subtype
    reserve(value.bytes.length)
    out.set(value.bytes, at)
    at += value.bytes.length
  } else if (value instanceof Regex) {
    writeName(value.pattern)
    writeName(value.flags)
  } else if (value instanceof Code) {
    writeText(value.code)
    if (value.scope !== undefined) writeFields(value.scope)
  }
}
