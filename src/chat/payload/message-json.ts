import { type StoredRow, int32At } from '../../log/read/stored-row.ts'
import type { ListingRow } from '../directories/collections.ts'
import { JsonBytes } from '../../lib/json-bytes.ts'
import {
  type References, type ReadSeqs, attachmentsPayload, mentionsPayload, systemPayload
} from './message-payload.ts'
import { reactionsPayload } from '../rules/reactions.ts'
import type { UserRow } from '../../users/user-row.ts'
import { publicUser } from '../../users/public-user.ts'

/** Stored messages, with the data that their payloads need. */
export interface StoredMessages {
  rows: readonly StoredRow[]
  people: References
  readSeqs: ReadSeqs
}

const answer = new JsonBytes()

/**
 * A response with messages, in UTF-8.
 * @param rest the JSON after the list of messages, in ASCII
 */
export function writeMessagesJson ({ rows, people, readSeqs }: StoredMessages, rest: string): Buffer {
  answer.clear()
  answer.ascii('{"success":true,"messages":[')
  for (let index = 0; index < rows.length; index++) {
    if (index > 0) answer.ascii(',')
    writeMessageJson(answer, rows[index]!, people, readSeqs)
  }
  answer.ascii(`],${rest}}`)
  return answer.copy()
}

/**
 * Writes the message of a stored row: the same bytes as `JSON.stringify(messagePayload(row))`. A test compares them.
 */
export function writeMessageJson (out: JsonBytes, row: StoredRow, people: References, readSeqs: ReadSeqs): void {
  out.ascii('{"_id":')
  out.id(row.bytes, row.idAt)
  if (row.receiverId === undefined) {
    out.ascii(',"user":')
    writeUser(out, row.senderId!, people)
    writeBody(out, row)
    out.ascii(',"timestamp":')
    out.time(row.createdMs)
    writeType(out, row)
  } else {
    out.ascii(',"senderId":')
    writeUser(out, row.senderId!, people)
    out.ascii(',"receiverId":')
    writeUser(out, row.receiverId, people)
    writeBody(out, row)
    if (row.listingId === undefined) out.ascii(',"listingId":null')
    else writeListing(out, row.listingId, people.listings.get(row.listingId))
    writeType(out, row)
    out.ascii(
      (readSeqs.get(row.receiverId) ?? 0) >= row.seq! ? ',"isRead":true,"createdAt":' : ',"isRead":false,"createdAt":'
    )
    out.time(row.createdMs)
    out.ascii(',"updatedAt":')
    out.time(row.updatedMs)
  }
  writeAdditions(out, row, people)
  if (row.receiverId === undefined && row.roomIdAt !== 0) {
    out.ascii(',"roomId":')
    writeText(out, row, row.roomIdAt)
  }
  out.ascii('}')
}

function writeBody (out: JsonBytes, row: StoredRow): void {
  out.ascii(',"message":')
  if (row.messageAt === 0) out.ascii('""')
  else writeText(out, row, row.messageAt)
}

function writeType (out: JsonBytes, row: StoredRow): void {
  out.ascii(',"messageType":')
  if (row.messageTypeAt === 0) out.ascii('"text"')
  else writeText(out, row, row.messageTypeAt)
}

function writeAdditions (out: JsonBytes, row: StoredRow, { hidden }: References): void {
  out.ascii(',"conversationId":')
  writeText(out, row, row.conversationIdAt)
  out.ascii(',"seq":')
  out.number(row.seq!)
  out.ascii(',"rev":')
  out.number(row.rev)
  out.ascii(',"clientMessageId":')
  if (row.clientMessageIdAt === 0) out.ascii('null')
  else writeText(out, row, row.clientMessageIdAt)
  out.ascii(',"replyTo":')
  if (row.replyToAt === 0) out.ascii('null')
  else writeReply(out, row)
  out.ascii(',"reactions":')
  if (row.hasReactions) out.text(JSON.stringify(reactionsPayload(row.decode().reactions, hidden)))
  else out.ascii('[]')
  if (row.hasMentions) out.text(`,"mentions":${JSON.stringify(mentionsPayload(row.decode().mentioned!))}`)
  if (row.isEvent) out.text(`,"system":${JSON.stringify(systemPayload(row.decode().system!))}`)
  if (row.hasAttachments) out.text(`,"attachments":${JSON.stringify(attachmentsPayload(row.decode().attachments!))}`)
  if (row.isForwarded) out.ascii(',"forwarded":true')
  out.ascii(',"editedAt":')
  if (row.editedMs === undefined) out.ascii('null')
  else out.time(row.editedMs)
  out.ascii(row.isDeleted ? ',"isDeleted":true' : ',"isDeleted":false')
}

function writeReply (out: JsonBytes, { bytes, replyToAt, replySeq, replySenderId }: StoredRow): void {
  out.ascii('{"_id":')
  out.id(bytes, replyToAt)
  if (replySeq !== undefined) out.ascii(`,"seq":${replySeq}`)
  if (replySenderId !== undefined) out.ascii(`,"senderId":"${replySenderId}"`)
  out.ascii('}')
}

/** A text of the row. In BSON a zero byte ends it. */
function writeText (out: JsonBytes, { bytes }: StoredRow, at: number): void {
  out.string(bytes, at + 4, at + 3 + int32At(bytes, at))
}

/** The same users occur in many messages. A row that was read again gets a new entry. */
const users = new WeakMap<UserRow, Buffer>()

function writeUser (out: JsonBytes, id: string, { users: rows }: References): void {
  const row = rows.get(id)
  let bytes = row === undefined ? undefined : users.get(row)
  if (bytes === undefined) {
    bytes = Buffer.from(JSON.stringify(publicUser(id, row)))
    if (row !== undefined) users.set(row, bytes)
  }
  out.bytes(bytes)
}

function writeListing (out: JsonBytes, id: string, row: ListingRow | null | undefined): void {
  out.text(`,"listingId":${row === null || row === undefined ? 'null' : JSON.stringify({ _id: id, title: row.title })}`)
}
