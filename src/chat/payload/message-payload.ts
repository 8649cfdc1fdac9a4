import type { ObjectId } from 'mongodb'
import type {
  Attachment as StoredAttachment, LogRow, SystemEvent as StoredSystemEvent
} from '../../log/model/types.ts'
import type {
  Attachment, CommonChatMessage, DirectMessage, Mentions, Message, Reply, RoomMessage, SystemEvent
} from '../../schemas/message.ts'
import type { ListingRow } from '../directories/collections.ts'
import type { ChatContext } from '../context.ts'
import { reactionsPayload } from '../rules/reactions.ts'
import type { UserRow } from '../../users/user-row.ts'
import { publicUser } from '../../users/public-user.ts'
import { everybody } from '../rules/mentions.ts'

/** The users, listings and messages to which messages refer. */
export interface References {
  users: ReadonlyMap<string, UserRow>
  listings: ReadonlyMap<string, ListingRow | null>
  /** Users whose reactions the viewer does not see, in hex. */
  hidden?: ReadonlySet<string>
}

export const noReferences: References = { users: new Map(), listings: new Map() }

/** The read position of each user, by id; a missing user has read nothing. */
export type ReadSeqs = ReadonlyMap<string, number>

export const noReads: ReadSeqs = new Map()

/** The references of a message or a membership; ids may be in hex. */
export interface ReferencingRow {
  senderId?: ObjectId | string | undefined
  receiverId?: ObjectId | string | undefined
  userId?: ObjectId | string | undefined
  listingId?: string | undefined
}

/** Loads the references of rows, without a promise if all are cached. */
export function loadReferences (
  context: ChatContext, rows: readonly ReferencingRow[]
): References | Promise<References> {
  const users = new Map<string, UserRow>()
  const listings = new Map<string, ListingRow | null>()
  const missing: Array<Promise<unknown>> = []
  const asked = new Set<string>()
  for (const row of rows) {
    for (const id of [row.senderId, row.receiverId, row.userId]) {
      const hex = typeof id === 'object' ? id.toHexString() : id
      if (hex === undefined || users.has(hex) || asked.has(hex)) continue
      const user = context.users.peek(hex)
      if (user !== undefined) users.set(hex, user)
      else {
        asked.add(hex)
        missing.push(context.users.get(hex).then(found => { if (found !== undefined) users.set(hex, found) }))
      }
    }
    const { listingId } = row
    if (listingId === undefined || listings.has(listingId)) continue
    const listing = context.listings.peek(listingId)
    listings.set(listingId, listing ?? null)
    if (listing === undefined) {
      missing.push(
        context.listings.get(listingId).then(found => { listings.set(listingId, found) })
      )
    }
  }
  return missing.length === 0 ? { users, listings } : Promise.all(missing).then(() => ({ users, listings }))
}

/** The payload of a message row in the form of its kind of conversation; `row.kind` is `message`. */
export function messagePayload (row: LogRow, people: References, readSeqs: ReadSeqs): Message {
  return row.receiverId !== undefined
    ? directPayload(row, people, readSeqs)
    : row.roomId !== undefined ? roomMessagePayload(row, people) : commonPayload(row, people)
}

function directPayload (row: LogRow, people: References, readSeqs: ReadSeqs): DirectMessage {
  const sender = row.senderId!.toHexString()
  const receiver = row.receiverId!.toHexString()
  const listing = row.listingId === undefined ? undefined : people.listings.get(row.listingId)
  return {
    _id: row._id.toHexString(),
    senderId: publicUser(sender, people.users.get(sender)),
    receiverId: publicUser(receiver, people.users.get(receiver)),
    message: row.message ?? '',
    listingId: listing === undefined || listing === null ? null : { _id: row.listingId!, title: listing.title },
    messageType: row.messageType ?? 'text',
    isRead: (readSeqs.get(receiver) ?? 0) >= row.seq!,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    ...sharedFields(row, people)
  }
}

function commonPayload (row: LogRow, people: References): CommonChatMessage {
  const sender = row.senderId!.toHexString()
  return {
    _id: row._id.toHexString(),
    user: publicUser(sender, people.users.get(sender)),
    message: row.message ?? '',
    timestamp: row.createdAt.toISOString(),
    messageType: row.messageType ?? 'text',
    ...sharedFields(row, people)
  }
}

function roomMessagePayload (row: LogRow, people: References): RoomMessage {
  return { ...commonPayload(row, people), roomId: row.roomId! }
}

/** The mentions of a message as clients get them. */
export function mentionsPayload (mentioned: readonly string[]): Mentions {
  return { userIds: mentioned.filter(id => id !== everybody), all: mentioned.includes(everybody) }
}

/** The files of a message as clients get them. */
export function attachmentsPayload (attachments: readonly StoredAttachment[]): Attachment[] {
  return attachments.map(({ _id, ...rest }) => ({ _id: _id.toHexString(), ...rest }))
}

/** The event of an announcement, as clients get it. */
export function systemPayload ({ event, userId, by, role, name, messageId }: StoredSystemEvent): SystemEvent {
  return {
    event,
    ...(userId === undefined ? {} : { userId: userId.toHexString() }),
    ...(by === undefined ? {} : { by: by.toHexString() }),
    ...(role === undefined ? {} : { role }),
    ...(name === undefined ? {} : { name }),
    ...(messageId === undefined ? {} : { messageId: messageId.toHexString() })
  }
}

function replyOf ({ replyTo, replySeq, replySenderId }: LogRow): Reply | null {
  if (replyTo === undefined) return null
  return {
    _id: replyTo.toHexString(),
    ...(replySeq === undefined ? {} : { seq: replySeq }),
    ...(replySenderId === undefined ? {} : { senderId: replySenderId.toHexString() })
  }
}

function sharedFields (row: LogRow, { hidden }: References) {
  return {
    conversationId: row.conversationId,
    seq: row.seq!,
    rev: row.rev,
    clientMessageId: row.clientMessageId ?? null,
    replyTo: replyOf(row),
    reactions: reactionsPayload(row.reactions, hidden),
    ...(row.mentioned === undefined ? {} : { mentions: mentionsPayload(row.mentioned) }),
    ...(row.system === undefined ? {} : { system: systemPayload(row.system) }),
    ...(row.attachments === undefined ? {} : { attachments: attachmentsPayload(row.attachments) }),
    ...(row.forwarded === true ? { forwarded: true as const } : {}),
    editedAt: row.editedAt?.toISOString() ?? null,
    isDeleted: row.isDeleted === true
  }
}
