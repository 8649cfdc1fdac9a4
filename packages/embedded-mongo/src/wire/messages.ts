/**
 * MongoDB's wire messages: OP_MSG, and the part of OP_QUERY that an old handshake needs. Every length is checked. Bytes
 * that are not a message are a `ProtocolViolation`, which ends only their connection.
 */
import { decode, decodeAt, documentLength, encode } from '../bson/index.ts'
import { rawArray } from '../bson/find-elements.ts'
import type { Doc } from '../values/values.ts'

const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013

const HEADER_BYTES = 16
export const MESSAGE_BYTES_MAX = 48_000_000

const CHECKSUM_PRESENT = 1
const MORE_TO_COME = 2
/** The first 16 flag bits are required: a server that does not know one must refuse the message. */
const UNKNOWN_REQUIRED_FLAGS = 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME)

class ProtocolViolation extends Error {}

/** One command as the client sent it. */
export type Request = {
  readonly requestId: number
  readonly body: Doc
  /** The undecoded documents of an array argument, from the body or from a section of their own. */
  readonly rawDocuments: (name: string) => Buffer[] | undefined
  readonly wantsReply: boolean
  /** It came as OP_QUERY and is answered with OP_REPLY. */
  readonly legacy: boolean
}

/** Splits a byte stream into messages. A message is a slice of the received bytes if possible, else a copy. */
export class MessageReader {
  #chunks: Buffer[] = []
  #bytes = 0

  /** @returns the messages that the chunk completes */
  push (chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    const messages: Buffer[] = []
    for (;;) {
      const length = this.#nextLength()
      if (length === undefined || this.#bytes < length) return messages
      messages.push(this.#take(length))
    }
  }

  #nextLength (): number | undefined {
    if (this.#bytes < HEADER_BYTES) return undefined
    if (this.#chunks[0]!.length < 4) this.#join()
    const length = this.#chunks[0]!.readInt32LE(0)
    if (length < HEADER_BYTES || length > MESSAGE_BYTES_MAX) throw new ProtocolViolation(`message of ${length} bytes`)
    return length
  }

  #take (length: number): Buffer {
    if (this.#chunks[0]!.length < length) this.#join()
    const first = this.#chunks[0]!
    if (first.length === length) this.#chunks.shift()
    else this.#chunks[0] = first.subarray(length)
    this.#bytes -= length
    return first.subarray(0, length)
  }

  #join (): void {
    this.#chunks = [Buffer.concat(this.#chunks)]
  }
}

/** @throws ProtocolViolation, which ends the connection, or MongoError for bad BSON, which is answered */
export function readRequest (message: Buffer): Request {
  const requestId = message.readInt32LE(4)
  const opcode = message.readInt32LE(12)
  if (opcode === OP_MSG) return readMsg(message, requestId)
  if (opcode === OP_QUERY) return readQuery(message, requestId)
  throw new ProtocolViolation(`opcode ${opcode}`)
}

/** The id of a message that cannot be decoded, for the reply. */
export function requestIdOf (message: Buffer): number {
  return message.readInt32LE(4)
}

function readMsg (message: Buffer, requestId: number): Request {
  if (message.length < HEADER_BYTES + 5) throw new ProtocolViolation('OP_MSG without a section')
  const flags = message.readUInt32LE(HEADER_BYTES)
  if ((flags & UNKNOWN_REQUIRED_FLAGS) !== 0) throw new ProtocolViolation(`unknown OP_MSG flags ${flags}`)
  const end = message.length - ((flags & CHECKSUM_PRESENT) === 0 ? 0 : 4)
  const sequences = new Map<string, Buffer[]>()
  let bodyBytes: Buffer | undefined
  let at = HEADER_BYTES + 4
  while (at < end) {
    const kind = message[at++]!
    const length = sectionLength(message, at, end)
    const section = message.subarray(at, at + length)
    at += length
    if (kind === 0 && bodyBytes === undefined) bodyBytes = section
    else if (kind === 1) addSequence(section, sequences)
    else throw new ProtocolViolation(`OP_MSG section of kind ${kind}`)
  }
  if (bodyBytes === undefined) throw new ProtocolViolation('OP_MSG without a body')
  const bytes = bodyBytes
  const body = decode(bytes)
  for (const [name, documents] of sequences) body.set(name, documents.map(document => decode(document)))
  return {
    requestId,
    body,
    rawDocuments: name => sequences.get(name) ?? rawArray(bytes, name),
    wantsReply: (flags & MORE_TO_COME) === 0,
    legacy: false
  }
}

function sectionLength (message: Buffer, at: number, end: number): number {
  if (at + 4 > end) throw new ProtocolViolation('OP_MSG section without a length')
  const length = message.readInt32LE(at)
  if (length < 5 || at + length > end) throw new ProtocolViolation(`OP_MSG section of ${length} bytes`)
  return length
}

function addSequence (section: Buffer, sequences: Map<string, Buffer[]>): void {
  const nameEnd = section.indexOf(0, 4)
  if (nameEnd < 0) throw new ProtocolViolation('OP_MSG sequence without a name')
  const name = section.utf8Slice(4, nameEnd)
  if (sequences.has(name)) throw new ProtocolViolation(`OP_MSG sequence ${name} twice`)
  const documents: Buffer[] = []
  let at = nameEnd + 1
  while (at < section.length) {
    const length = documentLength(section, at)
    documents.push(section.subarray(at, at + length))
    at += length
  }
  sequences.set(name, documents)
}

function readQuery (message: Buffer, requestId: number): Request {
  const nameEnd = message.indexOf(0, HEADER_BYTES + 4)
  const at = nameEnd + 9
  if (nameEnd < 0 || at >= message.length) throw new ProtocolViolation('OP_QUERY without a query')
  const namespace = message.utf8Slice(HEADER_BYTES + 4, nameEnd)
  if (!namespace.endsWith('.$cmd')) throw new ProtocolViolation('OP_QUERY is answered for commands only')
  const body = decodeAt(message, at)
  if (!body.has('$db')) body.set('$db', namespace.slice(0, -'.$cmd'.length))
  return { requestId, body, rawDocuments: () => undefined, wantsReply: true, legacy: true }
}

/** The message that answers a request with a document or its bytes. */
export function writeReply (requestId: number, legacy: boolean, reply: Doc | Buffer): Buffer {
  const bytes = Buffer.isBuffer(reply) ? reply : encode(reply)
  const headBytes = legacy ? HEADER_BYTES + 20 : HEADER_BYTES + 5
  const message = Buffer.allocUnsafe(headBytes + bytes.length)
  message.writeInt32LE(message.length, 0)
  message.writeInt32LE(0, 4)
  message.writeInt32LE(requestId, 8)
  message.writeInt32LE(legacy ? OP_REPLY : OP_MSG, 12)
  message.fill(0, HEADER_BYTES, headBytes)
  // OP_REPLY: flags, cursor id (8), starting from, number returned. OP_MSG: flags, section kind 0.
  if (legacy) message.writeInt32LE(1, HEADER_BYTES + 16)
  bytes.copy(message, headBytes)
  return message
}
