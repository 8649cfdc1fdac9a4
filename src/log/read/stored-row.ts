import { BSON } from 'mongodb'
import { type LogRow, type Rev, type RowKind, type Seq, revOf, seqOf } from '../model/types.ts'

/**
 * A row as it is stored: its BSON, and the offsets at which a message's fields begin (0: the field is missing). Pages
 * are written from these bytes: decoding the rows would cost several times as much as all the rest.
 */
export class StoredRow {
  readonly bytes: Uint8Array
  rev: Rev = revOf(0)
  /** Messages only. */
  seq: Seq | undefined = undefined
  kind: RowKind = 'message'
  isDeleted = false
  /** Milliseconds since 1970. */
  createdMs = 0
  updatedMs = 0
  editedMs: number | undefined = undefined
  /** In hex. */
  senderId: string | undefined = undefined
  receiverId: string | undefined = undefined
  /** `membership`: the user. */
  userId: string | undefined = undefined
  listingId: string | undefined = undefined
  /** Offset of an ObjectId's 12 bytes, or of a string's length. */
  idAt = 0
  replyToAt = 0
  replySeq: Seq | undefined = undefined
  /** In hex. */
  replySenderId: string | undefined = undefined
  conversationIdAt = 0
  messageAt = 0
  messageTypeAt = 0
  roomIdAt = 0
  clientMessageIdAt = 0
  hasReactions = false
  hasMentions = false
  /** It is an announcement. */
  isEvent = false
  hasAttachments = false
  isForwarded = false

  /** @param bytes one document as the driver returns it with `raw: true` */
  constructor (bytes: Uint8Array) {
    this.bytes = bytes
    eachElement(bytes, 0, (type, nameAt, at, length) => { this.take(type, nameAt, length, at) })
  }

  get updatedAt (): Date {
    return new Date(this.updatedMs)
  }

  decode (): LogRow {
    return BSON.deserialize(this.bytes) as LogRow
  }

  private take (type: number, nameAt: number, length: number, at: number): void {
    const { bytes } = this
    const name = names.get(keyOf(length, bytes[nameAt]!, bytes[nameAt + length - 1]!))
    if (name === undefined || type === bsonNull || !isNamed(bytes, nameAt, name)) return
    switch (name) {
      case '_id': this.idAt = at; break
      case 'conversationId': this.conversationIdAt = at; break
      case 'rev': this.rev = revOf(numberAt(type, bytes, at)); break
      case 'seq': this.seq = seqOf(numberAt(type, bytes, at)); break
      case 'kind': if (!isNamed(bytes, at + 4, 'message')) this.kind = textAt(bytes, at) as RowKind; break
      case 'createdAt': this.createdMs = longAt(bytes, at); break
      case 'updatedAt': this.updatedMs = longAt(bytes, at); break
      case 'editedAt': this.editedMs = longAt(bytes, at); break
      case 'senderId': this.senderId = hexAt(bytes, at); break
      case 'receiverId': this.receiverId = hexAt(bytes, at); break
      case 'userId': this.userId = hexAt(bytes, at); break
      case 'listingId': this.listingId = textAt(bytes, at); break
      case 'replyTo': this.replyToAt = at; break
      case 'replySeq': this.replySeq = seqOf(numberAt(type, bytes, at)); break
      case 'replySenderId': this.replySenderId = hexAt(bytes, at); break
      case 'message': this.messageAt = at; break
      case 'messageType': this.messageTypeAt = at; break
      case 'roomId': this.roomIdAt = at; break
      case 'clientMessageId': this.clientMessageIdAt = at; break
      case 'isDeleted': this.isDeleted = bytes[at] === 1; break
      case 'mentioned': this.hasMentions = true; break
      case 'attachments': this.hasAttachments = true; break
      case 'reactions': this.hasReactions = true; break
      case 'system': this.isEvent = true; break
      case 'forwarded': this.isForwarded = bytes[at] === 1; break
    }
  }
}

/** @param cursor the document `cursor` of a reply to `find` */
export function rowsOfReply (cursor: Uint8Array): { rows: StoredRow[], cursorId: bigint } {
  const rows: StoredRow[] = []
  let cursorId = 0n
  eachElement(cursor, 0, (type, nameAt, at) => {
    if (type === 0x04 && isNamed(cursor, nameAt, 'firstBatch')) {
      eachElement(cursor, at, (_type, _nameAt, rowAt) => {
        rows.push(new StoredRow(cursor.subarray(rowAt, rowAt + int32At(cursor, rowAt))))
      })
    } else if (type === 0x12 && isNamed(cursor, nameAt, 'id')) cursorId = bufferOf(cursor).readBigInt64LE(at)
  })
  return { rows, cursorId }
}

/**
 * Visits the elements of the document that begins at `start`; `at` is the offset of a value. (`BSON.onDemand` makes an
 * array of them first: a row takes a fifth longer.)
 */
function eachElement (
  bytes: Uint8Array, start: number, visit: (type: number, nameAt: number, at: number, length: number) => void
): void {
  const end = start + int32At(bytes, start) - 1
  for (let at = start + 4; at < end;) {
    const type = bytes[at]!
    const nameAt = at + 1
    at = nameAt
    while (bytes[at] !== 0) at++
    at++
    visit(type, nameAt, at, at - 1 - nameAt)
    at += sizeOf(type, bytes, at)
  }
}

/** By length, first and last letter: no two of these names agree in all three. */
const names = new Map(([
  '_id', 'conversationId', 'rev', 'seq', 'kind', 'createdAt', 'updatedAt', 'editedAt', 'senderId', 'receiverId',
  'userId', 'listingId', 'replyTo', 'replySeq', 'replySenderId', 'message', 'messageType', 'roomId', 'clientMessageId',
  'isDeleted', 'reactions', 'mentioned', 'system', 'attachments', 'forwarded'
] as const).map(name => [keyOf(name.length, name.charCodeAt(0), name.charCodeAt(name.length - 1)), name]))

function keyOf (length: number, first: number, last: number): number {
  return length << 16 | first << 8 | last
}

function isNamed (bytes: Uint8Array, at: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) if (bytes[at + index] !== name.charCodeAt(index)) return false
  return true
}

const bsonNull = 0x0a

/** @throws TypeError for a type that no row contains */
function sizeOf (type: number, bytes: Uint8Array, at: number): number {
  switch (type) {
    case 0x01: // double
    case 0x09: // date
    case 0x11: // timestamp
    case 0x12: return 8 // long
    case 0x02: return 4 + int32At(bytes, at) // string
    case 0x03: // document
    case 0x04: return int32At(bytes, at) // array
    case 0x07: return 12 // ObjectId
    case 0x08: return 1 // boolean
    case 0x10: return 4 // int
    case bsonNull: return 0
    default: throw new TypeError(`A row has a field of the BSON type ${type}`)
  }
}

/** A little-endian number of four bytes: the length of a string, its final zero included. */
export function int32At (bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24
}

function longAt (bytes: Uint8Array, at: number): number {
  return (int32At(bytes, at) >>> 0) + int32At(bytes, at + 4) * 2 ** 32
}

function numberAt (type: number, bytes: Uint8Array, at: number): number {
  if (type === 0x10) return int32At(bytes, at)
  return type === 0x12 ? longAt(bytes, at) : bufferOf(bytes).readDoubleLE(at)
}

function hexAt (bytes: Uint8Array, at: number): string {
  return bufferOf(bytes).toString('hex', at, at + 12)
}

function textAt (bytes: Uint8Array, at: number): string {
  return bufferOf(bytes).toString('utf8', at + 4, at + 3 + int32At(bytes, at))
}

/** The driver's bytes are a Buffer already: those are not copied. */
function bufferOf (bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
