import type { Attachment, ConversationSettings, MessageType, OwnUser, Role } from '../values.ts'
import type { Person, Row } from './state.ts'
import type {
  WireAttachment, WireChange, WireConversation, WireHistory, WireMessage, WireOwnUser, WireReads, WireSettings, WireUser
} from './wire.ts'

/** Wire shapes end here. */

/** What a room is. */
type Meta = Omit<Extract<WireChange, { kind: 'meta' }>, 'kind' | 'rev' | 'deleted'>

export type Change =
  | { kind: 'message', rev: number, row: Row, people: Person[] }
  | { kind: 'membership', rev: number, conversationId?: string | undefined, userId: string, role: Role | null }
  | { kind: 'meta', rev: number } & Partial<Meta>
  | { kind: 'purge', rev: number, throughSeq: number }
  | { kind: 'pins', rev: number, messageIds: readonly string[] }
  | { kind: 'read', rev: number, conversationId: string, seq: number }
  | { kind: 'block', rev: number, userId: string, on: boolean }
  | { kind: 'settings', rev: number, conversationId: string, settings: ConversationSettings }
  /** Of a newer server: it has its rev and nothing else. */
  | { kind: 'other', rev: number }

export interface Reads { userId: string, seq: number, at: number }

/** What a sync says of one conversation. */
export interface Synced {
  conversationId: string
  kind: 'direct' | 'room' | 'common' | 'self'
  changes: Change[]
  cursor: string
  rev: number
  hasMore: boolean
  reset: boolean
  fromSeq?: number | undefined
  unreadCount: number
  mentionCount: number
  reads: Reads[]
}

/** A live change; `change` is null if it is one that you may not see. */
export interface LiveEvent { conversationId: string, rev: number, change: Change | null }

export interface HistoryPage { rows: Row[], people: Person[], hasOlder: boolean }

const time = (text: string) => Date.parse(text)

export function toRow (message: WireMessage): Row {
  const { _id, conversationId, seq, rev, clientMessageId, replyTo, reactions, editedAt, isDeleted } = message
  const { mentions, attachments, system, forwarded } = message
  const [sender, createdAt] = 'user' in message ? [message.user, message.timestamp] : [message.senderId, message.createdAt]
  return {
    conversationId,
    id: _id,
    seq,
    rev,
    senderId: sender._id,
    ...(clientMessageId === null ? {} : { clientMessageId }),
    text: message.message,
    type: message.messageType as MessageType,
    createdAt: time(createdAt),
    ...(editedAt === null ? {} : { editedAt: time(editedAt) }),
    isDeleted,
    ...(replyTo === null ? {} : { replyTo: typeof replyTo === 'string' ? { id: replyTo } : { id: replyTo._id, seq: replyTo.seq, senderId: replyTo.senderId } }),
    reactions,
    ...(mentions === undefined ? {} : { mentions }),
    ...(attachments === undefined || attachments.length === 0 ? {} : { attachments: attachments.map(toAttachment) }),
    ...(system === undefined ? {} : { system }),
    ...(forwarded === undefined ? {} : { forwarded })
  }
}

export function toAttachment ({ _id, ...rest }: WireAttachment): Attachment {
  return { id: _id, ...rest }
}

/** Whom a message names, as they are called now. */
export function peopleOf (message: WireMessage): Person[] {
  return ('user' in message ? [message.user] : [message.senderId, message.receiverId]).map(toPerson)
}

export function toPerson ({ _id, fullName, username, profilePicture }: WireUser): Person {
  return { id: _id, fullName, username, picture: profilePicture }
}

export function toOwnUser (user: WireUser & Partial<WireOwnUser>): OwnUser {
  const { email, isAdmin } = user
  return { ...toPerson(user), ...(email === undefined ? {} : { email }), ...(isAdmin === undefined ? {} : { isAdmin }) }
}

export function toChange (change: WireChange): Change {
  switch (change.kind) {
    case 'message': return { kind: 'message', rev: change.rev, row: toRow(change.message), people: peopleOf(change.message) }
    case 'read': return { kind: 'read', rev: change.rev, conversationId: change.conversationId, seq: change.seq }
    case 'settings': return { kind: 'settings', rev: change.rev, conversationId: change.conversationId, settings: toSettings(change) }
    case 'membership':
    case 'meta':
    case 'purge':
    case 'pins':
    case 'block': return change
    default: return { kind: 'other', rev: (change as { rev: number }).rev }
  }
}

export function toSettings (
  { mutedUntil, notify, archived, pinnedAt, markedUnread, clearedSeq, hiddenSeqs }: WireSettings
): ConversationSettings {
  return {
    mutedUntil: mutedUntil == null ? null : time(mutedUntil),
    notify: notify ?? 'all',
    archived: archived ?? false,
    pinnedAt: pinnedAt == null ? null : time(pinnedAt),
    markedUnread: markedUnread ?? false,
    clearedSeq: clearedSeq ?? 0,
    hiddenSeqs: hiddenSeqs ?? []
  }
}

export function toReads ({ userId, seq, at }: WireReads): Reads {
  return { userId, seq, at: time(at) }
}

export function toSynced (synced: WireConversation): Synced {
  const { conversationId, kind, changes, cursor, rev, hasMore, reset, fromSeq, unreadCount, mentionCount = 0, reads } = synced
  return {
    conversationId, kind, changes: changes.map(toChange), cursor, rev, hasMore, reset: reset === true, fromSeq, unreadCount, mentionCount, reads: reads.map(toReads)
  }
}

export function toHistory ({ messages, hasOlder, hasMore }: WireHistory): HistoryPage {
  return { rows: messages.map(toRow), people: messages.flatMap(peopleOf), hasOlder: hasOlder ?? hasMore ?? false }
}

const messageEvents = new Set(['directMessage', 'roomMessage', 'commonChatMessage', 'messageChanged'])

/** The change that a socket event brings; undefined: it brings none. */
export function toLive (event: string, payload: unknown): LiveEvent | undefined {
  if (messageEvents.has(event)) {
    const message = payload as WireMessage
    const { conversationId, rev } = message
    return { conversationId, rev, change: toChange({ kind: 'message', rev, message }) }
  }
  if (event !== 'conversationChanged' && event !== 'noop') return undefined
  const { conversationId, rev, change } = payload as { conversationId: string, rev: number, change?: WireChange }
  return { conversationId, rev, change: change === undefined ? null : toChange(change) }
}
