import type { ObjectId } from 'mongodb'
import type { TidelogError } from '../../errors.ts'
import { type ConversationKind, type Head, type LogRow, type Member, type MemberRole, type RoomSettings, type OwnSettings, type StateKind, type Seq, memberKey, stateRowId, selfLogId } from '../model/types.ts'

/** What may be asked of the log: units of changes that commit together, and how that ends. */

/** A new row without what the commit assigns. Its `_id` is chosen before the first try, so that an unknown outcome can be settled. */
export type NewRow = Omit<LogRow, 'conversationId' | 'rev' | 'seq' | 'createdAt' | 'updatedAt'>

/** How a conversation that does not exist yet is opened by its first row. */
export interface NewConversation extends RoomSettings {
  kind: ConversationKind
  members: Array<{ userId: ObjectId, role: MemberRole }>
}

export interface RowPatch {
  set: Partial<Omit<LogRow, '_id' | 'conversationId' | 'rev' | 'seq' | 'kind' | 'createdAt' | 'updatedAt'>>
  unset?: ReadonlyArray<'message' | 'listingId' | 'replyTo' | 'replySeq' | 'replySenderId' | 'mentioned' | 'editedAt' | 'reactions'>
}

export type Mutation =
  | {
    type: 'append'
    conversationId: string
    row: NewRow
    open?: NewConversation
    /** The change is refused unless this user is a member at the head it is committed on. */
    requiresMember?: ObjectId
  }
  /**
   * `decide` sees the row as it stands before the change, the head, and the membership of `actor`, who asks for it: null
   * changes nothing, a thrown TidelogError refuses.
   */
  | { type: 'revise', conversationId: string, rowId: ObjectId, decide: (row: LogRow, at: { head: Head, actor: Member | null }) => RowPatch | null, actor?: ObjectId }
  /**
   * Sets, or with null removes, a member, here and in the user's own log. The standing that the user has changes nothing.
   * `actor` is who asks for it: the rule gets their membership.
   */
  | { type: 'member', conversationId: string, userId: ObjectId, role: MembershipStatus | MembershipRule, actor?: ObjectId, open?: NewConversation }
  /** Moves a member's read position forward, here and in the user's own log; takes a time of the conversation's clock but no rev. `isUnseen`: the others are not told. */
  | { type: 'read', conversationId: string, userId: ObjectId, seq: Seq, isUnseen?: boolean }
  /** Sets what a user has set for a conversation of theirs, in their own log and in their membership. */
  | { type: 'settings', conversationId: string, userId: ObjectId, decide: (settings: OwnSettings, head: Head) => OwnSettings }
  /** Sets the row of a state. `decide` sees it as it stands: null changes nothing, nor does what it holds already. */
  | { type: 'put', conversationId: string, kind: StateKind, subject: string, decide: (row: LogRow | null) => StateContent | null, open?: NewConversation }
  /** Sets some of a conversation's settings, on its head and in its `meta` row. */
  | { type: 'meta', conversationId: string, decide: (head: Head, actor: Member | null) => MetaPatch | null, actor?: ObjectId }
  /** Gives up the messages up to a seq. */
  | { type: 'purge', conversationId: string, throughSeq: Seq }

/** Settings to change, and what of the head goes with them. */
export type MetaPatch = RoomSettings & Pick<Head, 'closedSeq'>

/** What the row of a state says; all else is the log's. */
export type StateContent = Omit<LogRow, '_id' | 'conversationId' | 'rev' | 'seq' | 'kind' | 'createdAt' | 'updatedAt'>

/** What somebody is in a conversation: a member in a role, nobody, or nobody who may join. */
export type MembershipStatus = MemberRole | 'banned' | null

/**
 * Works out a user's standing from what is so at the commit. The standing that the user has changes nothing; a thrown
 * TidelogError refuses.
 */
export type MembershipRule = (member: Member | null, head: Head | null, others: { standing: MembershipStatus, actor: Member | null }) => MembershipStatus

/** Changes that commit together or not at all. Only the first may carry a client id: it is that of the unit. */
export interface CommitUnit {
  mutations: readonly Mutation[]
  /** Asked when its turn has come; what it throws refuses the unit. */
  guard?: Guard
}

export type Guard = () => void | Promise<void>

export type UnitOutcome =
  | { outcome: 'committed', rows: LogRow[], reads: Member[] }
  /** Everything asked for was so already; `rows` as they stand. */
  | { outcome: 'unchanged', rows: LogRow[], reads: Member[] }
  /** The client id was used before, for the same body. */
  | { outcome: 'duplicate', row: LogRow }
  /** The client id was used before, for another body. */
  | { outcome: 'mismatch', row: LogRow }
  /** There is no such conversation or row. */
  | { outcome: 'missing' }
  | { outcome: 'notMember' }
  | { outcome: 'refused', error: TidelogError }

/** Conversations that a change moves, the one that it names first; own logs of an opening only where it may have to open. */
export function conversationsTouched (change: Mutation, opens: boolean): string[] {
  const { conversationId } = change
  const own = change.type === 'member' || change.type === 'read' || change.type === 'settings' ? [selfLogId(change.userId)] : []
  const ofMembers = opens && 'open' in change ? change.open?.members.map(({ userId }) => selfLogId(userId)) ?? [] : []
  return [conversationId, ...own, ...ofMembers]
}

/** Rows that a change must know. */
export function rowsNeeded (change: Mutation, opens: boolean): ObjectId[] {
  const { conversationId } = change
  const ofMembers = opens && 'open' in change
    ? change.open?.members.map(({ userId }) => stateRowId(selfLogId(userId), 'membership', conversationId)) ?? []
    : []
  switch (change.type) {
    case 'append': return ofMembers
    case 'revise': return [change.rowId]
    case 'member': return [
      stateRowId(conversationId, 'membership', change.userId.toHexString()), stateRowId(selfLogId(change.userId), 'membership', conversationId),
      stateRowId(selfLogId(change.userId), 'settings', conversationId), ...ofMembers
    ]
    case 'read': return [stateRowId(selfLogId(change.userId), 'read', conversationId), stateRowId(selfLogId(change.userId), 'settings', conversationId)]
    case 'settings': return [stateRowId(selfLogId(change.userId), 'settings', conversationId)]
    case 'put': return [stateRowId(conversationId, change.kind, change.subject), ...ofMembers]
    case 'meta':
    case 'purge': return [stateRowId(conversationId, change.type, '')]
  }
}

/** Members that a change must know, by `memberKey`. */
export function membersNeeded (change: Mutation): string[] {
  const { conversationId } = change
  const actor = 'actor' in change && change.actor !== undefined ? [memberKey(conversationId, change.actor)] : []
  switch (change.type) {
    case 'append': return change.requiresMember === undefined ? [] : [memberKey(conversationId, change.requiresMember)]
    case 'member':
    case 'settings':
    case 'read': return [memberKey(conversationId, change.userId), ...actor]
    case 'meta':
    case 'revise': return actor
    case 'put':
    case 'purge': return []
  }
}
