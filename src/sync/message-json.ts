import type { ListingRow, UserRow } from '../chat/collections.ts'
import { type People, type ReadSeqs, messagePayload, nobodyRead, publicUser } from '../chat/payload.ts'
import type { LogRow } from '../log/types.ts'

/**
 * Messages as JSON text, the same as serialising `messagePayload` of each row (a test compares them). A page of
 * hundreds is asked for hundreds of times a second: what does not depend on the reader is written once.
 */

/** What is filled in for each answer. */
type Slot = { user: string } | { listing: string } | { readBy: string }

interface Parts {
  /** Fixed text, with a slot after each but the last. */
  texts: string[]
  slots: Slot[]
  /** Length of the fixed texts in UTF-8. */
  bytes: number
}

/** A message as text, and its length in UTF-8. */
export interface MessageText {
  text: string
  bytes: number
}

/** By row: the same row, kept between answers, is written once. */
const written = new WeakMap<LogRow, Parts>()

export function messageText (row: LogRow, people: People, readSeqs: ReadSeqs): MessageText {
  const { texts, slots, bytes: fixed } = partsOf(row)
  let text = texts[0]!
  let bytes = fixed
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[index]!
    if ('user' in slot) {
      const user = userText(slot.user, people.users.get(slot.user))
      text += user.text
      bytes += user.bytes
    } else if ('readBy' in slot) {
      const isRead = (readSeqs.get(slot.readBy) ?? 0) >= row.seq!
      text += isRead ? 'true' : 'false'
      bytes += isRead ? 4 : 5
    } else {
      const listing = listingText(slot.listing, people.listings.get(slot.listing))
      text += listing
      bytes += Buffer.byteLength(listing)
    }
    text += texts[index + 1]!
  }
  return { text, bytes }
}

const nobody: People = { users: new Map(), listings: new Map() }

function partsOf (row: LogRow): Parts {
  const known = written.get(row)
  if (known !== undefined) return known
  const texts: string[] = []
  const slots: Slot[] = []
  let text = ''
  for (const [key, value] of Object.entries(messagePayload(row, nobody, nobodyRead))) {
    text += `${text === '' && texts.length === 0 ? '{' : ','}"${key}":`
    const slot = slotOf(key, row)
    if (slot === undefined) text += JSON.stringify(value)
    else {
      texts.push(text)
      slots.push(slot)
      text = ''
    }
  }
  texts.push(`${text}}`)
  const parts = { texts, slots, bytes: texts.reduce((sum, each) => sum + Buffer.byteLength(each), 0) }
  written.set(row, parts)
  return parts
}

function slotOf (key: string, row: LogRow): Slot | undefined {
  switch (key) {
    case 'user':
    case 'senderId': return { user: row.senderId!.toHexString() }
    case 'receiverId': return { user: row.receiverId!.toHexString() }
    case 'isRead': return { readBy: row.receiverId!.toHexString() }
    case 'listingId': return row.listingId === undefined ? undefined : { listing: row.listingId }
    default: return undefined
  }
}

const users = new WeakMap<UserRow, MessageText>()

function userText (id: string, row: UserRow | undefined): MessageText {
  const known = row === undefined ? undefined : users.get(row)
  if (known !== undefined) return known
  const text = JSON.stringify(publicUser(id, row))
  const made = { text, bytes: Buffer.byteLength(text) }
  if (row !== undefined) users.set(row, made)
  return made
}

function listingText (id: string, row: ListingRow | null | undefined): string {
  return row === null || row === undefined ? 'null' : JSON.stringify({ _id: id, title: row.title })
}
