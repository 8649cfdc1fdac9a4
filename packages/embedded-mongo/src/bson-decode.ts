/**
 * BSON bytes to typed values: strict (every length is checked before it is believed, text must be UTF-8, a field name may occur once)
 * and quick, because every stored document passes through here. Nothing of the result refers to the input, which may be a view that dies.
 */
import { invalidBson, mongoError } from './errors.ts'
import {
  Binary, Code, DateTime, DbPointer, Decimal128, int32, MAX_KEY, MIN_KEY, ObjectId, Regex, Sym, TYPE, Timestamp, UNDEFINED,
  type Doc, type Value
} from './values.ts'

/** Node's own fast slices; they are there at run time but not in the typings. */
interface FastBuffer extends Buffer {
  latin1Slice (start: number, end: number): string
  utf8Slice (start: number, end: number): string
}

/** The deepest nesting that is accepted, as in MongoDB. */
export const DEPTH_MAX = 200

// The reader's state: one synchronous decode at a time, so module variables, which are faster than a closure or an object.
let data = Buffer.alloc(0) as FastBuffer
let at = 0

const double = new Float64Array(1)
const long = new BigInt64Array(double.buffer)
const words = new Int32Array(double.buffer)

function word (offset: number): number {
  return (data[offset] as number) | (data[offset + 1] as number) << 8 | (data[offset + 2] as number) << 16 | (data[offset + 3] as number) << 24
}

function bigEndianWord (offset: number): number {
  return (data[offset] as number) << 24 | (data[offset + 1] as number) << 16 | (data[offset + 2] as number) << 8 | (data[offset + 3] as number)
}

/** Decodes one document that fills `bytes` exactly. */
export function decode (bytes: Uint8Array): Doc {
  if (documentLength(bytes, 0) !== bytes.length) throw invalidBson(`invalid BSON: document length does not match ${bytes.length} bytes`)
  return decodeAt(bytes, 0)
}

/** Decodes the document that begins at `offset`; `documentLength` tells where it ends. */
export function decodeAt (bytes: Uint8Array, offset: number): Doc {
  const end = offset + documentLength(bytes, offset)
  data = (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as FastBuffer
  at = offset
  return readDocument(end, 0)
}

/** The length of the document at `offset`, checked to lie within `bytes`. */
export function documentLength (bytes: Uint8Array, offset: number): number {
  const left = bytes.length - offset
  if (offset < 0 || left < 5) throw invalidBson('invalid BSON: fewer than 5 bytes')
  const length = (bytes[offset] as number) | (bytes[offset + 1] as number) << 8 |
    (bytes[offset + 2] as number) << 16 | (bytes[offset + 3] as number) << 24
  if (length < 5 || length > left) throw invalidBson(`invalid BSON: document length ${length} where ${left} bytes are left`)
  return length
}

/** Reads the length word at `at`, moves past it, and returns where the embedded document ends. */
function documentEnd (limit: number): number {
  if (at + 5 > limit) throw truncated()
  const length = word(at)
  if (length < 5 || at + length > limit) throw invalidBson(`invalid BSON: embedded length ${length}`)
  return at + length
}

function readDocument (end: number, depth: number): Doc {
  if (depth > DEPTH_MAX) throw mongoError('Overflow', `Object/array nesting depth exceeds ${DEPTH_MAX} levels`)
  const doc: Doc = new Map()
  const last = end - 1
  let count = 0
  at += 4
  while (at < last) {
    const type = data[at++] as number
    const name = readName(last)
    doc.set(name, readValue(type, last, depth))
    count++
    if (doc.size !== count) throw invalidBson(`invalid BSON: the field name '${name}' occurs twice in one document`)
  }
  finish(last)
  return doc
}

function readArray (end: number, depth: number): Value[] {
  if (depth > DEPTH_MAX) throw mongoError('Overflow', `Object/array nesting depth exceeds ${DEPTH_MAX} levels`)
  const items: Value[] = []
  const last = end - 1
  at += 4
  while (at < last) {
    const type = data[at++] as number
    // The names of an array's items ("0", "1", …) carry nothing.
    while (at < last && data[at] !== 0) at++
    if (at++ >= last) throw truncated()
    items.push(readValue(type, last, depth))
  }
  finish(last)
  return items
}

function finish (last: number) {
  if (at !== last || data[last] !== 0) throw invalidBson('invalid BSON: a document does not end where its length says')
  at = last + 1
}

function truncated () {
  return invalidBson('invalid BSON: a value runs over the end of its document')
}

/** Moves past `bytes` bytes and returns where they began. */
function take (bytes: number, last: number): number {
  const start = at
  at += bytes
  if (at > last) throw truncated()
  return start
}

function readValue (type: number, last: number, depth: number): Value {
  switch (type) {
    case TYPE.string: return readString(last)
    case TYPE.int: return int32(word(take(4, last)))
    case TYPE.objectId: return readObjectId(last)
    case TYPE.date: {
      const start = take(8, last)
      return new DateTime(word(start + 4), word(start))
    }
    case TYPE.double: {
      const start = take(8, last)
      words[0] = word(start)
      words[1] = word(start + 4)
      return double[0] as number
    }
    case TYPE.long: {
      const start = take(8, last)
      words[0] = word(start)
      words[1] = word(start + 4)
      return long[0] as bigint
    }
    case TYPE.bool: {
      const byte = data[take(1, last)] as number
      if (byte > 1) throw invalidBson(`invalid BSON: ${byte} is not a boolean`)
      return byte === 1
    }
    case TYPE.null: return null
    case TYPE.object: return readDocument(documentEnd(last), depth + 1)
    case TYPE.array: return readArray(documentEnd(last), depth + 1)
    case TYPE.binData: return readBinary(last)
    default: return readRareValue(type, last, depth)
  }
}

function readRareValue (type: number, last: number, depth: number): Value {
  switch (type) {
    case TYPE.timestamp: {
      const start = take(8, last)
      return new Timestamp(word(start + 4), word(start))
    }
    case TYPE.decimal: return new Decimal128(copyBytes(take(16, last), 16))
    case TYPE.regex: return new Regex(readName(last), readName(last))
    case TYPE.javascript: return new Code(readString(last))
    case TYPE.javascriptWithScope: return readCodeWithScope(last, depth)
    case TYPE.symbol: return new Sym(readString(last))
    case TYPE.dbPointer: return new DbPointer(readString(last), readObjectId(last))
    case TYPE.undefined: return UNDEFINED
    case TYPE.minKey: return MIN_KEY
    case TYPE.maxKey: return MAX_KEY
    default: throw invalidBson(`Unrecognized BSON type ${type}`)
  }
}

function readObjectId (last: number): ObjectId {
  const start = take(12, last)
  return new ObjectId(bigEndianWord(start), bigEndianWord(start + 4), bigEndianWord(start + 8))
}

function copyBytes (start: number, length: number): Uint8Array {
  return Uint8Array.prototype.slice.call(data, start, start + length)
}

function readBinary (last: number): Binary {
  const start = take(5, last)
  const length = word(start)
  if (length < 0) throw invalidBson(`invalid BSON: binary of ${length} bytes`)
  const subtype = data[start + 4] as number
  const from = take(length, last)
  // The old binary subtype repeats its length inside; both must agree.
  if (subtype === 2 && (length < 4 || word(from) !== length - 4)) throw invalidBson('invalid BSON: binary subtype 2 with a wrong inner length')
  return new Binary(copyBytes(from, length), subtype)
}

function readCodeWithScope (last: number, depth: number): Code {
  const start = at
  const end = start + word(take(4, last))
  if (end < start + 14 || end > last) throw truncated()
  const code = readString(end)
  const scope = readDocument(documentEnd(end), depth + 1)
  if (at !== end) throw invalidBson('invalid BSON: code with scope has a wrong length')
  return new Code(code, scope)
}

function readString (last: number): string {
  const start = take(4, last) + 4
  const length = word(start - 4)
  if (length < 1 || start + length > last) throw invalidBson(`invalid BSON: string of ${length} bytes`)
  const end = start + length - 1
  if (data[end] !== 0) throw invalidBson('invalid BSON: string without its final zero')
  at = end + 1
  return text(start, end)
}

function text (start: number, end: number): string {
  if (end - start < 48) {
    let bits = 0
    for (let i = start; i < end; i++) bits |= data[i] as number
    if (bits < 0x80) return data.latin1Slice(start, end)
  }
  const result = data.utf8Slice(start, end)
  // The decoder replaces malformed bytes by U+FFFD; a text that really holds that character encodes to the same bytes again.
  if (result.includes('\ufffd') && data.compare(Buffer.from(result), 0, undefined, start, end) !== 0) {
    throw invalidBson('invalid BSON: text is not UTF-8')
  }
  return result
}

// Field names recur in every document: a direct-mapped table of those seen lately saves a string each.
const names: string[] = new Array<string>(2048).fill('')

/** Reads a zero-terminated name. */
function readName (last: number): string {
  const start = at
  let end = start
  let hash = 0
  let bits = 0
  let byte = 0
  while (end < last && (byte = data[end] as number) !== 0) {
    hash = Math.imul(hash, 31) + byte | 0
    bits |= byte
    end++
  }
  if (end >= last) throw truncated()
  at = end + 1
  if (bits >= 0x80) return text(start, end)
  const length = end - start
  const slot = (hash ^ hash >>> 11) & 2047
  const known = names[slot] as string
  if (known.length === length) {
    let i = 0
    while (i < length && known.charCodeAt(i) === data[start + i]) i++
    if (i === length) return known
  }
  const name = data.latin1Slice(start, end)
  if (length <= 64) names[slot] = name
  return name
}
