import { createHash } from 'node:crypto'
import { ObjectId } from 'mongodb'
import { foldedText } from '../../lib/folded-text.ts'

/** The place of a message by its creation in its conversation: 1, 2, 3 … without gaps. It never changes. */
export type Seq = number & { readonly position: 'seq' }
/** The place of a row's last change in its conversation: 1, 2, 3 … */
export type Rev = number & { readonly position: 'rev' }

export const seqOf = (value: number): Seq => value as Seq
export const revOf = (value: number): Rev => value as Rev

export type ConversationKind = 'direct' | 'room' | 'common' | 'self'
export type MemberRole = 'owner' | 'moderator' | 'member'
type MessageType = 'text' | 'image' | 'file' | 'audio' | 'video' | 'location' | 'system'
/** Which messages a member of a room may read: all of them, or those since they joined. */
export type HistoryView = 'all' | 'joined'

/**
 * Reactions to a message: emojis in the order of their first use, each with its users in the order in which they
 * reacted. `users` are their ids in base64url, 16 characters each, without separators.
 */
export type Reactions = ReadonlyArray<{ emoji: string, users: string }>

/** Kinds of state rows: one row for each subject, which moves to the next rev when the state changes. */
export type StateKind = 'membership' | 'meta' | 'read' | 'block' | 'settings' | 'purge' | 'pins'
export type RowKind = 'message' | StateKind

/** A room's settings, in its head and in its `meta` row. */
export interface RoomSettings {
  name?: string
  isPrivate?: boolean
  history?: HistoryView
  deleted?: boolean
  /** Null: it was removed. */
  topic?: string | null
  description?: string | null
  /** The address of a picture. */
  picture?: string | null
  /** The least role that may send messages; missing: `member`. */
  postRole?: 'member' | 'moderator'
  /** Seconds that a plain member waits between two messages. */
  slowModeS?: number
  /** Messages tell who came and went, and what was changed. */
  systemMessages?: boolean
}

/** The event that an announcement is about. */
export interface SystemEvent {
  event: 'created' | 'joined' | 'left' | 'added' | 'removed' | 'role' | 'renamed' | 'pinned'
  /** Whom it is about. */
  userId?: ObjectId
  /** Who did it. */
  by?: ObjectId
  /** `role`: the new one. */
  role?: MemberRole
  /** `renamed`: the new name. */
  name?: string
  /** `pinned`: the message. */
  messageId?: ObjectId
}

/**
 * A user's own settings for a conversation, in a `settings` row of their self log. The `Member` repeats those that
 * narrow the view.
 */
export interface OwnSettings {
  mutedUntil?: Date | undefined
  /** Which messages notify them; missing: all. */
  notify?: 'mentions' | 'none' | undefined
  archived?: true | undefined
  pinnedAt?: Date | undefined
  markedUnread?: true | undefined
  /** Messages up to this seq are hidden from them. */
  clearedSeq?: Seq | undefined
  /** These messages are hidden from them too. */
  hiddenSeqs?: readonly Seq[] | undefined
}

/** A pinned message. The seq tells whether a purge takes it away. */
export interface Pin {
  messageId: ObjectId
  seq: Seq
}

/** Messages that can be pinned in a conversation. */
export const pinsMax = 50

/**
 * What a conversation log has assigned last. Only a commit advances `headRev`, `headSeq` and `clock`, in one
 * transaction with the rows that get them.
 */
export interface Head extends RoomSettings {
  _id: string
  kind: ConversationKind
  headRev: Rev
  headSeq: Seq
  /**
   * The last time assigned in this conversation (a row's `updatedAt`, a read position's `readAt`): later ones are
   * greater.
   */
  clock: Date
  /** How many members there are; the common chat stores none. */
  memberCount: number
  createdAt: Date
  /**
   * When the last message was sent. Announcements do not count, unless there are no other messages. Missing if that
   * was before heads stored it.
   */
  lastMessageAt?: Date
  /** The last message that mentions anybody has this seq; missing: no message does. */
  mentionSeq?: Seq
  /** Rooms only: the name without case and accents, by which rooms are sorted. */
  nameKey?: string
  /** Rev of the last `meta` row. */
  metaRev?: Rev
  /** Rev of the `pins` row; missing: nothing was ever pinned. */
  pinsRev?: Rev
  /**
   * Messages up to this seq are purged: hidden from everybody, their rows deleted afterwards
   * (src/log/delete-purged.ts).
   */
  purgedSeq?: Seq
  /** With `history: 'all'`: only users who were members at the time see messages up to this seq. */
  closedSeq?: Seq
  /**
   * Rev of the last change that shows a user more than before (an unblocking, another `history`): older cursors are
   * reset.
   */
  viewRev?: Rev
  /** When a read position that others may see last moved. */
  lastReadAt?: Date
  /**
   * Self logs only: rev of the last `membership` row. A list of the user's conversations is valid until this changes.
   */
  memberRev?: Rev
  /** Self logs only: rev of the last `settings` row. */
  settingsRev?: Rev
  /** Self logs only: rev of the last `block` row. */
  blockRev?: Rev
  /** The node that commits next, because others were faster several times (src/log/commit/reservation.ts). */
  reservedBy?: string
}

/** A file of a message: the file's own row, and what its sender says of it. */
export interface Attachment {
  /** The file. */
  _id: ObjectId
  name: string
  type: string
  /** In bytes. */
  size: number
  /** In pixels. */
  width?: number
  height?: number
  durationMs?: number
  blurhash?: string
}

/** One row of a log, at the rev of its last change. */
export interface LogRow extends RoomSettings, OwnSettings {
  _id: ObjectId
  conversationId: string
  rev: Rev
  kind: RowKind
  createdAt: Date
  updatedAt: Date
  /** Messages only. */
  seq?: Seq
  senderId?: ObjectId
  clientMessageId?: string
  /** Hash of what was sent with `clientMessageId`: shows whether a retry has another body. */
  bodyHash?: string
  message?: string
  messageType?: MessageType
  /** Direct messages only. */
  receiverId?: ObjectId
  listingId?: string
  /** Room messages only. */
  roomId?: string
  replyTo?: ObjectId
  /** The seq and the sender of the message that `replyTo` names. */
  replySeq?: Seq
  replySenderId?: ObjectId
  /** The mentioned users' ids in hex, and `all` for everybody; missing: nobody. */
  mentioned?: readonly string[]
  /** The files that the message carries; missing: none. */
  attachments?: readonly Attachment[]
  editedAt?: Date
  isDeleted?: true
  reactions?: Reactions
  /** The sender passes on what somebody wrote before. */
  forwarded?: true
  /** The event of an announcement; an administrator's system message has none. */
  system?: SystemEvent
  /** `membership`: the user, and the new role (null: no longer a member). */
  userId?: ObjectId
  role?: MemberRole | null
  /** `membership` of a room: the user may not join again. */
  banned?: true
  /**
   * In a self log: the conversation (`membership`, `read`, `settings`), or the user in hex (`block`), that the row is
   * about.
   */
  about?: string
  /** `block`: whether the user is blocked. */
  on?: boolean
  /** `read`: the user has read up to this seq. */
  readSeq?: Seq
  readAt?: Date
  /** `purge`: messages up to this seq are purged. */
  throughSeq?: Seq
  /** `pins`: the pinned messages in the order in which they were pinned. */
  pins?: readonly Pin[]
}

/** A member of a conversation, and how far they have read it. */
export interface Member {
  /** `memberKey(conversationId, userId)` */
  _id: string
  conversationId: string
  userId: ObjectId
  role: MemberRole
  /** The head's seq when they joined. */
  joinedSeq: Seq
  /** The rev at which they joined. A user who left and joined again has another. */
  joinedRev: Rev
  joinedAt: Date
  /** They have read everything up to this seq. */
  readSeq: Seq
  /** The position that others see, if `readSeq` has moved unseen; `readAt` and `readTrail` belong to this one. */
  shownSeq?: Seq
  readAt?: Date
  /** When they last sent a message to a room in slow mode. */
  sentAt?: Date
  /** The same as in the `settings` row of the user's self log. */
  clearedSeq?: Seq | undefined
  hiddenSeqs?: readonly Seq[] | undefined
  /** The last moves of `readSeq`, oldest first: they show a legacy client what was read since a time. */
  readTrail?: Array<{ seq: Seq, at: Date }>
}

export const memberKey = (conversationId: string, userId: ObjectId): string =>
  `${conversationId}|${userId.toHexString()}`

/** In a conversation with more members than this, read positions are not shown to others. */
export const readPositionsShownMax = 200

/** The id of a user's self log. On the wire it is always `self`. */
export const selfLogId = (userId: ObjectId | string): string =>
  `self_${typeof userId === 'string' ? userId : userId.toHexString()}`

/** The user id, in hex, of a self log; undefined for any other conversation. */
export const selfLogOwner = (conversationId: string): string | undefined =>
  conversationId.startsWith('self_') ? conversationId.slice(5) : undefined

/** The `_id` of a state row: the same on every node and in every try. */
export function stateRowId (conversationId: string, kind: StateKind, subject: string): ObjectId {
  return new ObjectId(createHash('sha256').update(`${conversationId}\n${kind}\n${subject}`).digest().subarray(0, 12))
}

/** The settings of a row, without its other fields. */
export function ownSettingsOf (given: OwnSettings = {}): OwnSettings {
  const { mutedUntil, notify, archived, pinnedAt, markedUnread, clearedSeq, hiddenSeqs } = given
  const all = Object.entries({ mutedUntil, notify, archived, pinnedAt, markedUnread, clearedSeq, hiddenSeqs })
  return Object.fromEntries(all.filter(([, value]) => value !== undefined)) as OwnSettings
}

/** Are members' read positions shown to the others? */
export function showsReadPositions (head: Head | null): boolean {
  return head !== null && head.memberCount <= readPositionsShownMax
}

/** The settings of a head or row, without its other fields. */
export function settingsOf (given: RoomSettings): RoomSettings {
  const { name, isPrivate, history, deleted, topic, description, picture, postRole, slowModeS, systemMessages } = given
  const all = Object.entries({
    name, isPrivate, history, deleted, topic, description, picture, postRole, slowModeS, systemMessages
  })
  return Object.fromEntries(all.filter(([, value]) => value !== undefined))
}

/** The `nameKey` of a head with these settings. */
export function nameKeyOf ({ name }: RoomSettings): Pick<Head, 'nameKey'> {
  return name === undefined ? {} : { nameKey: foldedText(name) }
}
