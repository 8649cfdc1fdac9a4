import type { ObjectId } from 'mongodb'

/** A message's place by creation in its conversation: 1, 2, 3 … without gaps, for ever. */
export type Seq = number & { readonly position: 'seq' }
/** The place of a row's last change in its conversation's change order: 1, 2, 3 … */
export type Rev = number & { readonly position: 'rev' }

export const seqOf = (value: number): Seq => value as Seq
export const revOf = (value: number): Rev => value as Rev

export type ConversationKind = 'direct' | 'room' | 'common' | 'self'
export type MemberRole = 'owner' | 'moderator' | 'member'
export type MessageType = 'text' | 'image' | 'file' | 'audio' | 'video' | 'location' | 'system'

/**
 * The head of a conversation's log. Only a commit moves `headRev`, `headSeq` and `clock`, and always in one
 * transaction with the rows that it stands for.
 */
export interface Head {
  _id: string
  kind: ConversationKind
  headRev: Rev
  headSeq: Seq
  /** The greatest time given out in this conversation (a row's `updatedAt`, a read position's `readAt`): later ones are greater. */
  clock: Date
  /** Changes at or below this rev are no longer complete; cursors behind it are reset. */
  gcFloor: Rev
  createdAt: Date
  name?: string
  isPrivate?: boolean
}

/** One row of a log, at the position of its last change. */
export interface LogRow {
  _id: ObjectId
  conversationId: string
  rev: Rev
  kind: 'message' | 'membership'
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
  editedAt?: Date
  isDeleted?: true
  /** Membership rows only: whose, and the new role (null: no longer a member). */
  userId?: ObjectId
  role?: MemberRole | null
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
  joinedAt: Date
  /** Everything up to this seq is read. */
  readSeq: Seq
  readAt?: Date
  /** The last moves of `readSeq`, oldest first, so that a client can be told what was read since a time. */
  readTrail?: Array<{ seq: Seq, at: Date }>
}

export const memberKey = (conversationId: string, userId: ObjectId): string => `${conversationId}|${userId.toHexString()}`
