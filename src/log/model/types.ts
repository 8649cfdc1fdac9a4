import { createHash } from 'node:crypto'
import { ObjectId } from 'mongodb'

/** A message's place by creation in its conversation: 1, 2, 3 … without gaps, for ever. */
export type Seq = number & { readonly position: 'seq' }
/** The place of a row's last change in its conversation's change order: 1, 2, 3 … */
export type Rev = number & { readonly position: 'rev' }

export const seqOf = (value: number): Seq => value as Seq
export const revOf = (value: number): Rev => value as Rev

export type ConversationKind = 'direct' | 'room' | 'common' | 'self'
export type MemberRole = 'owner' | 'moderator' | 'member'
export type MessageType = 'text' | 'image' | 'file' | 'audio' | 'video' | 'location' | 'system'
/** Which messages a member of a room may read: all of them, or those since they joined. */
export type HistoryView = 'all' | 'joined'

/**
 * Who reacted to a message, by emoji, in the order of first use; of each the users in the order in which they came: their
 * ids in base64url, 16 characters each, one behind the other.
 */
export type Reactions = ReadonlyArray<{ emoji: string, users: string }>

/** Kinds of rows that stand for a state: one row for each subject, which moves to the next rev when the state changes. */
export type StateKind = 'membership' | 'meta' | 'read' | 'block' | 'settings' | 'purge'
export type RowKind = 'message' | StateKind

/** A room's settings, as its head has them and a `meta` row tells of them. */
export interface RoomSettings {
  name?: string
  isPrivate?: boolean
  history?: HistoryView
  deleted?: boolean
}

/** What a user has set for a conversation of theirs, as a `settings` row of their own log says it; a member has what decides on the view. */
export interface OwnSettings {
  mutedUntil?: Date | undefined
  /** What they want to be notified of; missing: all. */
  notify?: 'mentions' | 'none' | undefined
  archived?: true | undefined
  pinnedAt?: Date | undefined
  markedUnread?: true | undefined
  /** Messages up to here are not shown to them. */
  clearedSeq?: Seq | undefined
  /** Nor are these. */
  hiddenSeqs?: readonly Seq[] | undefined
}

/**
 * The head of a conversation's log. Only a commit moves `headRev`, `headSeq` and `clock`, and always in one
 * transaction with the rows that it stands for.
 */
export interface Head extends RoomSettings {
  _id: string
  kind: ConversationKind
  headRev: Rev
  headSeq: Seq
  /** The greatest time given out in this conversation (a row's `updatedAt`, a read position's `readAt`): later ones are greater. */
  clock: Date
  /** Members now; none are kept of the common chat. */
  memberCount: number
  createdAt: Date
  /** When the last message was sent; missing if that was before heads kept it. */
  lastMessageAt?: Date
  /** No message above this seq mentions anybody; missing: none does. */
  mentionSeq?: Seq
  /** Rev of the last `meta` row. */
  metaRev?: Rev
  /** Messages up to here are purged: nobody is shown them any more, and their rows go (src/log/delete-purged.ts). */
  purgedSeq?: Seq
  /** Where all see all (`history`): messages up to here are shown to those only who were members when they were written. */
  closedSeq?: Seq
  /** Rev of the last change that showed somebody more than before (an unblocking, another history view): cursors from before it are reset. */
  viewRev?: Rev
  /** When a read position that is shown to the others last moved. */
  lastReadAt?: Date
  /** Own logs only: rev of the last `membership` row. A list of the user's conversations is good as long as this stays. */
  memberRev?: Rev
  /** Own logs only: rev of the last `settings` row. */
  settingsRev?: Rev
  /** Own logs only: rev of the last `block` row. */
  blockRev?: Rev
  /** The node that may commit next, because it was too slow for the others several times (src/log/commit/reservation.ts). */
  reservedBy?: string
}

/** One row of a log, at the position of its last change. */
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
  /** What was sent under `clientMessageId`, so that a retry with another body is told apart. */
  bodyHash?: string
  message?: string
  messageType?: MessageType
  /** Direct messages only. */
  receiverId?: ObjectId
  listingId?: string
  /** Room messages only. */
  roomId?: string
  replyTo?: ObjectId
  /** Of the message that `replyTo` names: its seq and its sender. */
  replySeq?: Seq
  replySenderId?: ObjectId
  /** Users who are mentioned, in hex, and `all` for everybody; missing: nobody. */
  mentioned?: readonly string[]
  editedAt?: Date
  isDeleted?: true
  reactions?: Reactions
  /** `membership`: whose, and the new role (null: no longer a member). */
  userId?: ObjectId
  role?: MemberRole | null
  /** `membership` of a room: may not join again. */
  banned?: true
  /** In an own log: the conversation (`membership`, `read`, `settings`), or the user in hex (`block`), that the row is about. */
  about?: string
  /** `block`: blocked now. */
  on?: boolean
  /** `read`: the user has read up to here. */
  readSeq?: Seq
  readAt?: Date
  /** `purge`: messages up to here are gone. */
  throughSeq?: Seq
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
  /** The rev at which they joined: another one after they left and came back. */
  joinedRev: Rev
  joinedAt: Date
  /** Everything up to this seq is read. */
  readSeq: Seq
  /** What the others are told instead, as long as the position moves unseen by them; `readAt` and `readTrail` belong to it. */
  shownSeq?: Seq
  readAt?: Date
  /** What the user cleared and hid, as their own log says it. */
  clearedSeq?: Seq | undefined
  hiddenSeqs?: readonly Seq[] | undefined
  /** The last moves of `readSeq`, oldest first, so that a client can be told what was read since a time. */
  readTrail?: Array<{ seq: Seq, at: Date }>
}

export const memberKey = (conversationId: string, userId: ObjectId): string => `${conversationId}|${userId.toHexString()}`

/** Members of a conversation above which their read positions are their own affair: nobody else is told. */
export const readPositionsShownMax = 200

/** The own log of a user: on the wire always `self`. */
export const selfLogId = (userId: ObjectId | string): string => `self_${typeof userId === 'string' ? userId : userId.toHexString()}`

/** Whose own log this is, in hex; undefined for any other conversation. */
export const selfLogOwner = (conversationId: string): string | undefined => conversationId.startsWith('self_') ? conversationId.slice(5) : undefined

/** The `_id` of a row that stands for a state: the same on every node and in every try. */
export function stateRowId (conversationId: string, kind: StateKind, subject: string): ObjectId {
  return new ObjectId(createHash('sha256').update(`${conversationId}\n${kind}\n${subject}`).digest().subarray(0, 12))
}

/** The settings of a row, and nothing else that it says. */
export function ownSettingsOf (given: OwnSettings = {}): OwnSettings {
  const { mutedUntil, notify, archived, pinnedAt, markedUnread, clearedSeq, hiddenSeqs } = given
  const all = Object.entries({ mutedUntil, notify, archived, pinnedAt, markedUnread, clearedSeq, hiddenSeqs })
  return Object.fromEntries(all.filter(([, value]) => value !== undefined)) as OwnSettings
}

/** Are read positions of members shown to the others? */
export function showsReadPositions (head: Head | null): boolean {
  return head !== null && head.memberCount <= readPositionsShownMax
}

export function settingsOf ({ name, isPrivate, history, deleted }: RoomSettings): RoomSettings {
  return {
    ...(name === undefined ? {} : { name }),
    ...(isPrivate === undefined ? {} : { isPrivate }),
    ...(history === undefined ? {} : { history }),
    ...(deleted === undefined ? {} : { deleted })
  }
}
