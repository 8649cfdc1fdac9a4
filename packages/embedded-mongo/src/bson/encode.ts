/** Encodes typed values to BSON bytes. It is the exact inverse of decode.ts, byte for byte. */
import { badValue } from '../values/errors.ts'
import { checkDepth } from './decode.ts'
import {
  Binary, Code, DateTime, Decimal128, Int32, ObjectId, Regex, Sym, Timestamp, typeOf,
  type Doc, type RareValue, type Value
} from '../values/values.ts'

// The writer's state. Only one encode runs at a time, into one buffer that is kept and grows.
const CAPACITY_KEPT = 1 << 20
let out = Buffer.allocUnsafeSlow(1 << 16)
let at = 0

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

function writeWord (value: number) {
  at = out.writeInt32LE(value | 0, at)
}

function writeDocument (value: Doc | readonly Value[], depth: number) {
  checkDepth(depth)
  reserve(8)
  const start = at
  at += 4
  if (value instanceof Map) for (const [name, field] of value) writeElement(name, field, depth)
  else for (let i = 0; i < value.length; i++) writeElement(String(i), value[i] as Value, depth)
  reserve(1)
  out[at++] = 0
  out.writeInt32LE(at - start, start)
}

function writeElement (name: string, value: Value, depth: number) {
  // Enough for the type, the name and any value of fixed size.
  reserve(name.length * 3 + 24)
  out[at++] = typeOf(value)
  writeName(name)
  writeValue(value, depth)
}

/**
 * Writes a zero-terminated name, for which the caller has reserved room. Most are ASCII, which this loop writes
 * fastest.
 */
function writeName (name: string) {
  const start = at
  let i = 0
  for (; i < name.length; i++) {
    const char = name.charCodeAt(i)
    if (char === 0 || char >= 0x80) break
    out[at++] = char
  }
  if (i < name.length) {
    if (name.includes('\0')) throw badValue('a field name must not contain a zero byte')
    at = start + out.write(name, start, 'utf8')
  }
  out[at++] = 0
}

function writeString (value: string) {
  reserve(value.length * 3 + 5)
  const start = at
  at += 4
  at += out.write(value, at, 'utf8')
  out[at++] = 0
  out.writeInt32LE(at - start - 4, start)
}

function writeBytes (bytes: Uint8Array) {
  reserve(bytes.length)
  out.set(bytes, at)
  at += bytes.length
}

/** The caller has reserved 24 bytes. */
function writeValue (value: Value, depth: number) {
  if (typeof value === 'string') {
    writeString(value)
  } else if (value instanceof Int32) {
    writeWord(value.value)
  } else if (value instanceof ObjectId) {
    writeObjectId(value)
  } else if (value instanceof DateTime) {
    writeWord(value.low)
    writeWord(value.high)
  } else if (value instanceof Map || Array.isArray(value)) {
    writeDocument(value, depth + 1)
  } else if (typeof value === 'boolean') {
    out[at++] = value ? 1 : 0
  } else if (typeof value === 'number') {
    at = out.writeDoubleLE(value, at)
  } else if (typeof value === 'bigint') {
    at = out.writeBigInt64LE(value, at)
  } else if (value !== null) {
    writeRareValue(value, depth)
  }
}

function writeObjectId (id: ObjectId) {
  at = out.writeInt32BE(id.a, at)
  at = out.writeInt32BE(id.b, at)
  at = out.writeInt32BE(id.c, at)
}

function writeRareValue (value: RareValue, depth: number) {
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
  } else if (value instanceof Sym) {
    writeString(value.value)
  } else if (value instanceof Code) {
    const start = at
    if (value.scope !== undefined) at += 4
    writeString(value.code)
    if (value.scope === undefined) return
    writeDocument(value.scope, depth + 1)
    out.writeInt32LE(at - start, start)
  }
}
