import type { ObjectId } from 'mongodb'
import { TidelogError } from '../../errors.ts'
import type { UnitOutcome } from '../../log/commit/plan.ts'
import { type Head, type LogRow, type Member, type Seq, seqOf } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { type ConversationRef, objectId, otherUser, parseConversationId, requireRef } from '../rules/conversation-id.ts'
import { type CommittedOutcome, requireCommitted } from '../rules/outcome.ts'
import { notMemberError } from '../rules/room-rules.ts'
import { afterSeqOf } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'

/** A conversation that the caller may read, with the caller's membership if the conversation has members. */
export interface Access {
  ref: ConversationRef
  member: Member | undefined
  /** Undefined: a direct conversation in which nobody has written, or an empty common chat. */
  head: Head | undefined
  /** Messages up to this seq are hidden from the caller. */
  fromSeq: Seq
}

/**
 * The caller's access to a conversation. A direct conversation of theirs need not exist yet.
 * @throws TidelogError NOT_FOUND to a stranger, NOT_ALLOWED for a public room that the caller has not joined.
 */
export async function requireAccess (
  context: ChatContext, identity: Identity, conversationId: string
): Promise<Access> {
  const ref = requireRef(conversationId, identity.userId)
  const [head, member] = await Promise.all([
    context.log.head(ref.conversationId),
    ref.kind === 'common' ? undefined : context.log.member(ref.conversationId, identity.id)
  ])
  if (ref.kind === 'room' && (member === undefined || head === undefined || head.deleted === true)) {
    throw notMemberError(head)
  }
  return { ref, member, head, fromSeq: head === undefined ? seqOf(0) : afterSeqOf(head, member) }
}

/**
 * A message that the caller may see.
 * @throws TidelogError NOT_FOUND if it does not exist or the caller may not see it.
 */
export async function requireVisibleMessage (
  context: ChatContext, identity: Identity, messageId: string
): Promise<{ row: LogRow, access: Access }> {
  const row = await findMessage(context, messageId)
  let access: Access
  try {
    access = await requireAccess(context, identity, row.conversationId)
  } catch (error) {
    // A stranger to a public room must not learn which messages are in it.
    throw error instanceof TidelogError && error.status < 500 ? new TidelogError('NOT_FOUND') : error
  }
  const isHidden = row.seq! <= access.fromSeq || access.member?.hiddenSeqs?.includes(row.seq!) === true
  if (isHidden) throw new TidelogError('NOT_FOUND')
  return { row, access }
}

/**
 * A message that the caller may see, or moderates as an administrator: they moderate every room, even as strangers, and
 * the common chat. Direct conversations have no moderators.
 * @throws TidelogError NOT_FOUND
 */
export async function requireModeratedMessage (
  context: ChatContext, identity: Identity, messageId: string
): Promise<{ row: LogRow, isAdministrators: boolean }> {
  if (identity.isAdmin) {
    const row = await findMessage(context, messageId)
    if (parseConversationId(row.conversationId)?.kind !== 'direct') return { row, isAdministrators: true }
  }
  const { row } = await requireVisibleMessage(context, identity, messageId)
  return { row, isAdministrators: false }
}

/** The state that a rule about changing a message checks, beside the message. */
export interface RuleContext {
  head: Head
  /** Null for a stranger, and outside rooms. */
  actor: Member | null
}

/** The actor of a change to a message, if the log must check their membership again at the commit. */
export function actorOf ({ id }: Identity, conversationId: string): { actor?: ObjectId } {
  return parseConversationId(conversationId)?.kind === 'room' ? { actor: id } : {}
}

/** Checks again at the commit that the actor is still a member of the room. Other conversations remove nobody. */
export function requireStillMember ({ conversationId }: LogRow, { head, actor }: RuleContext): void {
  if ((actor === null || head.deleted === true) && parseConversationId(conversationId)?.kind === 'room') {
    throw new TidelogError('NOT_FOUND')
  }
}

/**
 * The outcome of a unit that only members commit.
 * @throws TidelogError those of `requireCommitted`, and NOT_ALLOWED if the caller has not joined this public room
 */
export async function requireCommittedByMember (
  context: ChatContext, conversationId: string, outcome: UnitOutcome
): Promise<CommittedOutcome> {
  if (outcome.outcome === 'notMember' && parseConversationId(conversationId)?.kind === 'room') {
    throw notMemberError(await context.log.head(conversationId))
  }
  return requireCommitted(outcome)
}

/** @throws TidelogError NOT_FOUND */
async function findMessage (context: ChatContext, messageId: string): Promise<LogRow> {
  const row = await context.log.collections.rows.findOne({ _id: objectId(messageId), kind: 'message' })
  if (row === null) throw new TidelogError('NOT_FOUND')
  return row
}

/**
 * A change in a direct conversation reaches the other user like a message, so a block refuses it.
 * @throws TidelogError NOT_ALLOWED if the other user has blocked the caller
 */
export async function requireNotBlocked (
  context: ChatContext, { userId }: Identity, ref: ConversationRef
): Promise<void> {
  const other = ref.kind === 'direct' ? otherUser(ref, userId) : undefined
  if (other === undefined) return
  const blocked = context.blocks.peek(other) ?? await context.blocks.get(other)
  if (blocked.has(userId)) throw new TidelogError('NOT_ALLOWED', 'This user does not take messages from you')
}
