/** Typed values to BSON bytes, the inverse of bson-decode.ts, byte for byte. */
import { badValue, mongoError } from './errors.ts'
import { DEPTH_MAX } from './bson-decode.ts'
import {
  Binary, Code, DateTime, DbPointer, Decimal128, Int32, ObjectId, Regex, Sym, TYPE, Timestamp, typeOf, type Doc, type Value
} from './values.ts'

// The writer's state: one synchronous encode at a time into one buffer that is kept and grows.
const CAPACITY_KEPT = 1 << 20
let out = Buffer.allocUnsafeSlow(1 << 16)
let at = 0

const double = new Float64Array(1)
const long = new BigInt64Array(double.buffer)
const words = new Int32Array(double.buffer)

/** Encodes a document into a buffer of its own. */
export function encode (doc: Doc): Buffer {
  at = 0
  writeDocument(doc, 0)
  const bytes = Buffer.allocUnsafe(at)
  out.copy(bytes, 0, 0, at)
  if (out.length > CAPACITY_KEPT) out = Buffer.allocUnsafeSlow(1 << 16)
  return bytes
}

function reserve (bytes: number) {
  if (at + bytes <= out.length) return
  const larger = Buffer.allocUnsafeSlow(Math.max(out.length * 2, at + bytes))
  out.copy(larger, 0, 0, at)
  out = larger
}

function setWord (offset: number, value: number) {
  out[offset] = value
  out[offset + 1] = value >>> 8
  out[offset + 2] = value >>> 16
  out[offset + 3] = value >>> 24
}

function writeWord (value: number) {
  setWord(at, value)
  at += 4
}

function writeBigEndianWord (value: number) {
  out[at++] = value >>> 24
  out[at++] = value >>> 16
  out[at++] = value >>> 8
  out[at++] = value
}

function writeDocument (doc: Doc, depth: number) {
  const start = open(depth)
  for (const [name, value] of doc) {
    // The type, a short name and any value of fixed size.
    reserve(name.length * 3 + 24)
    const typeAt = at++
    writeName(name)
    // In two steps: writing the value may replace the buffer.
    const type = writeValue(value, depth)
    out[typeAt] = type
  }
  close(start)
}

function writeArray (items: readonly Value[], depth: number) {
  const start = open(depth)
  for (let i = 0; i < items.length; i++) {
    reserve(40)
    const typeAt = at++
    if (i < 10) out[at++] = 48 + i
    else at += out.write(String(i), at, 'latin1')
    out[at++] = 0
    const type = writeValue(items[i] as Value, depth)
    out[typeAt] = type
  }
  close(start)
}

function open (depth: number): number {
  if (depth > DEPTH_MAX) throw mongoError('Overflow', `Object/array nesting depth exceeds ${DEPTH_MAX} levels`)
  reserve(8)
  const start = at
  at += 4
  return start
}

function close (start: number) {
  reserve(1)
  out[at++] = 0
  setWord(start, at - start)
}

/** Writes a zero-terminated name; its room is reserved by the caller. */
function writeName (name: string) {
  const start = at
  for (let i = 0; i < name.length; i++) {
    const char = name.charCodeAt(i)
    if (char >= 0x80) {
      at = start + out.write(name, start, 'utf8')
      if (out.subarray(start, at).includes(0)) throw badValue('a field name must not contain a zero byte')
      break
    }
    if (char === 0) throw badValue('a field name must not contain a zero byte')
    out[at++] = char
  }
  out[at++] = 0
}

function writeString (value: string) {
  reserve(value.length * 3 + 5)
  const start = at
  at += 4
  if (value.length < 32) {
    let i = 0
    for (; i < value.length; i++) {
      const char = value.charCodeAt(i)
      if (char >= 0x80) break
      out[at + i] = char
    }
    at += i === value.length ? i : out.write(value, at, 'utf8')
  } else {
    at += out.write(value, at, 'utf8')
  }
  out[at++] = 0
  setWord(start, at - start - 4)
}

/** Writes a value and returns its type byte; 24 bytes are reserved by the caller. */
function writeValue (value: Value, depth: number): number {
  if (typeof value === 'string') {
    writeString(value)
    return TYPE.string
  }
  if (value instanceof Int32) {
    writeWord(value.value)
    return TYPE.int
  }
  if (value instanceof ObjectId) {
    writeObjectId(value)
    return TYPE.objectId
  }
  if (value instanceof DateTime) {
    writeWord(value.low)
    writeWord(value.high)
    return TYPE.date
  }
  if (value instanceof Map) {
    writeDocument(value, depth + 1)
    return TYPE.object
  }
  if (Array.isArray(value)) {
    writeArray(value, depth + 1)
    return TYPE.array
  }
  if (typeof value === 'boolean') {
    out[at++] = value ? 1 : 0
    return TYPE.bool
  }
  if (value === null) return TYPE.null
  if (typeof value === 'number') double[0] = value
  else if (typeof value === 'bigint') long[0] = value
  else return writeRareValue(value, depth)
  writeWord(words[0] as number)
  writeWord(words[1] as number)
  return typeof value === 'number' ? TYPE.double : TYPE.long
}

function writeObjectId (id: ObjectId) {
  writeBigEndianWord(id.a)
  writeBigEndianWord(id.b)
  writeBigEndianWord(id.c)
}

function writeBytes (bytes: Uint8Array) {
  reserve(bytes.length)
  out.set(bytes, at)
  at += bytes.length
}

function writeRareValue (value: Exclude<Value, string | number | bigint | boolean | null>, depth: number): number {
  if (value instanceof Binary) {
    writeWord(value.bytes.length)
    out[at++] = value.subtype
    writeBytes(value.bytes)
  } else if (value instanceof Decimal128) {
    writeBytes(value.bytes)
  } else if (value instanceof Timestamp) {
    writeWord(value.ordinal)
    writeWord(value.seconds)
  } else if (value instanceof Regex) {
    reserve((value.pattern.length + value.flags.length) * 3 + 2)
    writeName(value.pattern)
    writeName(value.flags)
  } else if (value instanceof Code) {
    writeCode(value, depth)
  } else if (value instanceof Sym) {
    writeString(value.value)
  } else if (value instanceof DbPointer) {
    writeString(value.namespace)
    reserve(12)
    writeObjectId(value.id)
  }
  return typeOf(value)
}

function writeCode (value: Code, depth: number) {
  if (value.scope === undefined) {
    writeString(value.code)
    return
  }
  const start = at
  at += 4
  writeString(value.code)
  writeDocument(value.scope, depth + 1)
  setWord(start, at - start)
}
