/**
 * Decodes BSON bytes to typed values. It is strict: every length is checked before use, text must be UTF-8, a field
 * name may occur only once. It is fast, because every stored document passes through here. The result does not refer to
 * the input, which may be overwritten afterwards.
 */
import { invalidBson, mongoError, notImplemented } from '../values/errors.ts'
import {
  Binary, Code, DateTime, Decimal128, int32, MAX_KEY, MIN_KEY, ObjectId, Regex, Sym, TYPE, Timestamp, UNDEFINED,
  type Doc, type Value
} from '../values/values.ts'

/** The deepest nesting, as in MongoDB. */
const DEPTH_MAX = 200

export function checkDepth (depth: number) {
  if (depth > DEPTH_MAX) throw mongoError('Overflow', `Object/array nesting depth exceeds ${DEPTH_MAX} levels`)
}

// The reader's state. Only one decode runs at a time, so module variables are safe; they are faster than an object.
let data: Buffer = Buffer.alloc(0)
let at = 0

/** Decodes one document that fills `bytes` exactly. */
export function decode (bytes: Buffer): Doc {
  if (documentLength(bytes, 0) === bytes.length) return decodeAt(bytes, 0)
  throw invalidBson(`invalid BSON: document length does not match ${bytes.length} bytes`)
}

/** Decodes the document that begins at `offset`; `documentLength` returns its length. */
export function decodeAt (bytes: Buffer, offset: number): Doc {
  const end = offset + documentLength(bytes, offset)
  data = bytes
  at = offset
  return readDocument(end, 0)
}

/** The length of the document at `offset`, checked to lie within `bytes`. */
export function documentLength (bytes: Buffer, offset: number, end = bytes.length): number {
  const left = end - offset
  if (offset < 0 || left < 5) throw invalidBson('invalid BSON: fewer than 5 bytes')
  const length = bytes.readInt32LE(offset)
  if (length >= 5 && length <= left) return length
  throw invalidBson(`invalid BSON: document length ${length} with ${left} bytes left`)
}

/** The end of the document that begins here. */
const documentEnd = (last: number) => at + documentLength(data, at, last)

function readDocument (end: number, depth: number): Doc {
  checkDepth(depth)
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
  checkDepth(depth)
  const items: Value[] = []
  const last = end - 1
  at += 4
  while (at < last) {
    const type = data[at++] as number
    // The names of an array's items ("0", "1", …) are skipped.
    while (at < last && data[at] !== 0) at++
    take(1, last)
    items.push(readValue(type, last, depth))
  }
  finish(last)
  return items
}

function finish (last: number) {
  if (at !== last || data[last] !== 0) throw invalidBson('invalid BSON: a document does not end where its length says')
  at = last + 1
}

/** Moves past `bytes` bytes, which must end before `last`, and returns their offset. */
function take (bytes: number, last: number): number {
  const start = at
  at += bytes
  if (at > last) throw invalidBson('invalid BSON: a value runs over the end of its document')
  return start
}

function readValue (type: number, last: number, depth: number): Value {
  switch (type) {
    case TYPE.string: return readString(last)
    case TYPE.int: return int32(readWord(last))
    case TYPE.objectId: {
      const start = take(12, last)
      return new ObjectId(data.readInt32BE(start), data.readInt32BE(start + 4), data.readInt32BE(start + 8))
    }
    case TYPE.date: {
      const low = readWord(last)
      return new DateTime(readWord(last), low)
    }
    case TYPE.double: return data.readDoubleLE(take(8, last))
    case TYPE.long: return data.readBigInt64LE(take(8, last))
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
      const ordinal = readWord(last)
      return new Timestamp(readWord(last), ordinal)
    }
    case TYPE.decimal: return new Decimal128(readBytes(16, last))
    case TYPE.regex: return new Regex(readName(last), readName(last))
    case TYPE.javascript: return new Code(readString(last))
    case TYPE.javascriptWithScope: return readCodeWithScope(last, depth)
    case TYPE.symbol: return new Sym(readString(last))
    case TYPE.undefined: return UNDEFINED
    case TYPE.minKey: return MIN_KEY
    case TYPE.maxKey: return MAX_KEY
    case TYPE.dbPointer: throw notImplemented('values of the deprecated BSON type DBPointer are not supported')
    default: throw invalidBson(`Unrecognized BSON type ${type}`)
  }
}

/** An int32, read by its bytes, which is faster than the Buffer's own method. */
function readWord (last: number): number {
  const start = take(4, last)
  return data[start]! | data[start + 1]! << 8 | data[start + 2]! << 16 | data[start + 3]! << 24
}

function readBytes (length: number, last: number): Uint8Array {
  if (length < 0) throw invalidBson(`invalid BSON: binary of ${length} bytes`)
  const start = take(length, last)
  return Uint8Array.prototype.slice.call(data, start, start + length)
}

function readBinary (last: number): Binary {
  const length = readWord(last)
  const subtype = data[take(1, last)] as number
  const bytes = readBytes(length, last)
  // The old binary subtype repeats its length inside. Both must agree.
  if (subtype === 2 && (length < 4 || data.readInt32LE(at - length) !== length - 4)) {
    throw invalidBson('invalid BSON: binary subtype 2 with a wrong inner length')
  }
  return new Binary(bytes, subtype)
}

function readCodeWithScope (last: number, depth: number): Code {
  const end = at + readWord(last)
  const code = readString(Math.min(end, last))
  const scope = readDocument(documentEnd(Math.min(end, last)), depth + 1)
  if (at !== end) throw invalidBson('invalid BSON: code with scope has a wrong length')
  return new Code(code, scope)
}

function readString (last: number): string {
  const length = readWord(last)
  if (length < 1) throw invalidBson(`invalid BSON: string of ${length} bytes`)
  const start = take(length, last)
  if (data[at - 1] !== 0) throw invalidBson('invalid BSON: string without its final zero')
  return text(start, at - 1)
}

function text (start: number, end: number): string {
  if (end - start < 48) {
    let bits = 0
    for (let i = start; i < end; i++) bits |= data[i] as number
    if (bits < 0x80) return data.latin1Slice(start, end)
  }
  const result = data.utf8Slice(start, end)
  // Node's decoder replaces malformed bytes by U+FFFD. A text that really contains U+FFFD encodes to the same bytes
  // again.
  if (result.includes('\ufffd') && data.compare(Buffer.from(result), 0, undefined, start, end) !== 0) {
    throw invalidBson('invalid BSON: text is not UTF-8')
  }
  return result
}

// Field names recur in every document: a direct-mapped table of recent names saves making a string of each.
const names: string[] = new Array<string>(2048).fill('')

/** Reads a zero-terminated name. */
function readName (last: number): string {
  const start = at
  let hash = 0
  let bits = 0
  let byte = 0
  while (at < last && (byte = data[at] as number) !== 0) {
    hash = Math.imul(hash, 31) + byte | 0
    bits |= byte
    at++
  }
  const end = take(1, last)
  if (bits >= 0x80) return text(start, end)
  const slot = (hash ^ hash >>> 11) & 2047
  const known = names[slot] as string
  if (known.length === end - start) {
    let i = 0
    while (start + i < end && known.charCodeAt(i) === data[start + i]) i++
    if (start + i === end) return known
  }
  const name = data.latin1Slice(start, end)
  if (name.length <= 64) names[slot] = name
  return name
}
