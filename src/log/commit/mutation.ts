import type { ObjectId } from 'mongodb'
import type { TidelogError } from '../../errors.ts'
import {
  type ConversationKind, type Head, type LogRow, type Member, type MemberRole, type OwnSettings, type RoomSettings,
  type Seq, type StateKind, memberKey, selfLogId, stateRowId
} from '../model/types.ts'

/** What can be committed to a log, and the outcomes of that. */

/**
 * A new row without what the commit assigns. Its `_id` is chosen before the first try, so that a search for it can
 * settle an unknown outcome.
 */
export type NewRow = Omit<LogRow, 'conversationId' | 'rev' | 'seq' | 'createdAt' | 'updatedAt'>

/** What the first row of a conversation opens it with. */
export interface NewConversation extends RoomSettings {
  kind: ConversationKind
  members: Array<{ userId: ObjectId, role: MemberRole }>
}

export interface RowPatch {
  set: Partial<Omit<LogRow, '_id' | 'conversationId' | 'rev' | 'seq' | 'kind' | 'createdAt' | 'updatedAt'>>
  unset?: ReadonlyArray<
    | 'message' | 'listingId' | 'replyTo' | 'replySeq' | 'replySenderId' | 'mentioned' | 'attachments' | 'editedAt'
    | 'reactions' | 'system' | 'forwarded'
  >
}

export type Mutation =
  | {
    type: 'append'
    conversationId: string
    row: NewRow
    open?: NewConversation
    /** The outcome is `notMember` unless this user is a member at the commit. */
    requiresMember?: ObjectId
    /** Decides whether that member may send now; a thrown TidelogError refuses. */
    rule?: SendRule
  }
  /**
   * Changes a message; a deletion ends its pin. `decide` gets the row before the change, the head, and the membership
   * of `actor`, the user who asks. Null changes nothing; a thrown TidelogError refuses.
   */
  | {
    type: 'revise'
    conversationId: string
    rowId: ObjectId
    decide: (row: LogRow, at: { head: Head, actor: Member | null }) => RowPatch | null
    actor?: ObjectId
  }
  /**
   * Sets a user's membership, or removes it with null, here and in the user's self log. The status that the user has
   * already changes nothing. A rule gets the membership of `actor`, the user who asks.
   */
  | {
    type: 'member'
    conversationId: string
    userId: ObjectId
    role: MembershipStatus | MembershipRule
    actor?: ObjectId
    open?: NewConversation
    announce?: Announcement<{ before: MembershipStatus, after: MembershipStatus, isNew: boolean }>
  }
  /**
   * Moves a member's read position forward, here and in the self log. Takes a time of the conversation's clock, no rev.
   * With `isUnseen`, the others do not see that it moved.
   */
  | { type: 'read', conversationId: string, userId: ObjectId, seq: Seq, isUnseen?: boolean }
  /** Sets a user's own settings for a conversation, in their self log and in their membership. */
  | {
    type: 'settings'
    conversationId: string
    userId: ObjectId
    decide: (settings: OwnSettings, head: Head) => OwnSettings
  }
  /**
   * Sets a state row. `decide` gets the row as it is. Null changes nothing, nor does the content that it has already.
   */
  | {
    type: 'put'
    conversationId: string
    kind: StateKind
    subject: string
    decide: (row: LogRow | null) => StateContent | null
    open?: NewConversation
  }
  /** Sets some of a conversation's settings, on its head and in its `meta` row. */
  | {
    type: 'meta'
    conversationId: string
    decide: (head: Head, actor: Member | null) => MetaPatch | null
    actor?: ObjectId
    announce?: Announcement<{ before: RoomSettings, after: RoomSettings }>
  }
  /**
   * Pins a message, or ends that. `check` gets the message, the head, and the membership of `actor`; what it throws
   * refuses.
   */
  | {
    type: 'pin'
    conversationId: string
    rowId: ObjectId
    on: boolean
    check: (row: LogRow, at: { head: Head, actor: Member | null }) => void
    actor?: ObjectId
    announce?: Announcement<{ on: boolean }>
  }
  /** Purges the messages up to a seq, and ends their pins. */
  | { type: 'purge', conversationId: string, throughSeq: Seq }

/** @param at when the message is sent */
export type SendRule = (member: Member, head: Head, at: Date) => void

/** The message that tells of a change, committed with it; undefined: none does. Its `_id` is the same in every try. */
export type Announcement<C> = (head: Head, change: C) => NewRow | undefined

/** Settings to change, and the field of the head that changes with them. */
export type MetaPatch = RoomSettings & Pick<Head, 'closedSeq'>

/** The fields of a state row that its mutation sets; the log assigns the others. */
export type StateContent = Omit<LogRow, '_id' | 'conversationId' | 'rev' | 'seq' | 'kind' | 'createdAt' | 'updatedAt'>

/** A user's role in a conversation; null: not a member; `banned`: not a member and may not join. */
export type MembershipStatus = MemberRole | 'banned' | null

/**
 * Decides a user's new status from what is stored at the commit. The status that the user has already (`standing`)
 * changes nothing; a thrown TidelogError refuses.
 */
export type MembershipRule = (
  member: Member | null, head: Head | null, others: { standing: MembershipStatus, actor: Member | null }
) => MembershipStatus

/** Mutations that commit together or not at all. Only the first may have a `clientMessageId`, which is the unit's. */
export interface CommitUnit {
  mutations: readonly Mutation[]
  /** Called just before the unit's first transaction; what it throws refuses the unit. */
  guard?: Guard
}

export type Guard = () => void | Promise<void>

export type UnitOutcome =
  | { outcome: 'committed', rows: LogRow[], reads: Member[] }
  /** Everything was as requested already; `rows` as they are. */
  | { outcome: 'unchanged', rows: LogRow[], reads: Member[] }
  /** The `clientMessageId` was used before, for the same body. */
  | { outcome: 'duplicate', row: LogRow }
  /** The `clientMessageId` was used before, for another body. */
  | { outcome: 'mismatch', row: LogRow }
  /** There is no such conversation or row. */
  | { outcome: 'missing' }
  | { outcome: 'notMember' }
  | { outcome: 'refused', error: TidelogError }

/**
 * Conversations that a mutation may change; the first is the one that it names.
 * @param opens it may have to open the conversation, which writes to the members' self logs
 */
export function conversationsTouched (mutation: Mutation, opens: boolean): string[] {
  const { conversationId, type } = mutation
  const selfLog = type === 'member' || type === 'read' || type === 'settings' ? [selfLogId(mutation.userId)] : []
  const ofMembers = opens && 'open' in mutation
    ? mutation.open?.members.map(({ userId }) => selfLogId(userId)) ?? []
    : []
  return [conversationId, ...selfLog, ...ofMembers]
}

/** Rows that a plan of the mutation reads. */
export function rowsNeeded (mutation: Mutation, opens: boolean): ObjectId[] {
  const { conversationId } = mutation
  const ofMembers = opens && 'open' in mutation
    ? mutation.open?.members.map(({ userId }) => stateRowId(selfLogId(userId), 'membership', conversationId)) ?? []
    : []
  switch (mutation.type) {
    case 'append': return ofMembers
    case 'pin':
    case 'revise': return [mutation.rowId, stateRowId(conversationId, 'pins', '')]
    case 'member': return [
      stateRowId(conversationId, 'membership', mutation.userId.toHexString()),
      stateRowId(selfLogId(mutation.userId), 'membership', conversationId),
      stateRowId(selfLogId(mutation.userId), 'settings', conversationId),
      ...ofMembers
    ]
    case 'read': return [
      stateRowId(selfLogId(mutation.userId), 'read', conversationId),
      stateRowId(selfLogId(mutation.userId), 'settings', conversationId)
    ]
    case 'settings': return [stateRowId(selfLogId(mutation.userId), 'settings', conversationId)]
    case 'put': return [stateRowId(conversationId, mutation.kind, mutation.subject), ...ofMembers]
    case 'meta': return [stateRowId(conversationId, 'meta', '')]
    case 'purge': return [stateRowId(conversationId, 'purge', ''), stateRowId(conversationId, 'pins', '')]
  }
}

/** Members that a plan of the mutation reads, as `memberKey`s. */
export function membersNeeded (mutation: Mutation): string[] {
  const { conversationId } = mutation
  const actor = 'actor' in mutation && mutation.actor !== undefined ? [memberKey(conversationId, mutation.actor)] : []
  switch (mutation.type) {
    case 'append':
      return mutation.requiresMember === undefined ? [] : [memberKey(conversationId, mutation.requiresMember)]
    case 'member':
    case 'settings':
    case 'read': return [memberKey(conversationId, mutation.userId), ...actor]
    case 'meta':
    case 'pin':
    case 'revise': return actor
    case 'put':
    case 'purge': return []
  }
}
