import { publicUser } from '../chat/payload.ts'
import { reactionsPayload } from '../chat/reactions.ts'
import type { ListingRow, UserRow } from '../chat/collections.ts'
import type { LogRow } from '../log/types.ts'
import type { ConversationSync } from './legacy.ts'

/**
 * The answer of a sync as JSON text, the same as serialising `directPayload` of each row (a test compares them). A page
 * of 100 messages is asked for thousands of times a second: what does not depend on the reader is written once.
 */
export function writeSync ({ rows, people, readSeqs, time, cursor, hasMore, reads, reset }: ConversationSync): string {
  let messages = ''
  for (const row of rows) {
    const { start, middle, end, sender, receiver } = partsOf(row)
    const isRead = (readSeqs.get(receiver) ?? 0) >= row.seq!
    if (messages !== '') messages += ','
    messages += `${start}${userText(sender, people.users.get(sender))},"receiverId":${userText(receiver, people.users.get(receiver))},"listingId":${
      row.listingId === undefined ? 'null' : listingText(row.listingId, people.listings.get(row.listingId))}${middle}${String(isRead)}${end}`
  }
  return `{"success":true,"messages":[${messages}],"syncTimestamp":"${time.toISOString()}","count":${rows.length},"cursor":"${cursor}","hasMore":${String(hasMore)},"reads":${
    reads.length === 0 ? '[]' : JSON.stringify(reads)}${reset ? ',"reset":true' : ''}}`
}

interface Parts {
  start: string
  middle: string
  end: string
  sender: string
  receiver: string
}

/** By row: the same row, kept between answers, is written once. */
const written = new WeakMap<LogRow, Parts>()

function partsOf (row: LogRow): Parts {
  const known = written.get(row)
  if (known !== undefined) return known
  const { clientMessageId, replyTo, editedAt } = row
  const parts = {
    start: `{"_id":"${row._id.toHexString()}","senderId":`,
    middle: `,"message":${JSON.stringify(row.message ?? '')},"messageType":"${row.messageType ?? 'text'}","isRead":`,
    end: `,"createdAt":"${row.createdAt.toISOString()}","updatedAt":"${row.updatedAt.toISOString()}","conversationId":"${row.conversationId}","seq":${row.seq!},"rev":${row.rev},"clientMessageId":${
      clientMessageId === undefined ? 'null' : JSON.stringify(clientMessageId)},"replyTo":${replyTo === undefined ? 'null' : `"${replyTo.toHexString()}"`},"reactions":${
      row.reactions === undefined ? '[]' : JSON.stringify(reactionsPayload(row.reactions))},"editedAt":${
      editedAt === undefined ? 'null' : `"${editedAt.toISOString()}"`},"isDeleted":${String(row.isDeleted === true)}}`,
    sender: row.senderId!.toHexString(),
    receiver: row.receiverId!.toHexString()
  }
  written.set(row, parts)
  return parts
}

const users = new WeakMap<UserRow, string>()

function userText (id: string, row: UserRow | undefined): string {
  if (row === undefined) return JSON.stringify(publicUser(id, undefined))
  let text = users.get(row)
  if (text === undefined) {
    text = JSON.stringify(publicUser(id, row))
    users.set(row, text)
  }
  return text
}

function listingText (id: string, row: ListingRow | null | undefined): string {
  return row === null || row === undefined ? 'null' : JSON.stringify({ _id: id, title: row.title })
}
