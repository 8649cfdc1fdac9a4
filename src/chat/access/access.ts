import type { ObjectId } from 'mongodb'
import { TidelogError } from '../../errors.ts'
import { type Head, type LogRow, type Member, type Seq, seqOf } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { type ConversationRef, objectId, otherUser, parseConversationId } from '../rules/conversation-id.ts'
import { notMemberError } from '../rules/room-rules.ts'
import { afterSeqOf } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'

/** A conversation that the caller may read, and their membership where it has any. */
export interface Access {
  ref: ConversationRef
  member: Member | undefined
  /** Undefined: a direct conversation in which nobody has written, or an empty common chat. */
  head: Head | undefined
  /** Messages up to here are not shown to the caller. */
  fromSeq: Seq
}

/**
 * The caller's place in a conversation. A direct one of theirs need not exist yet.
 * @throws TidelogError NOT_FOUND to a stranger, NOT_ALLOWED for a public room that was not joined.
 */
export async function requireAccess (context: ChatContext, identity: Identity, conversationId: string): Promise<Access> {
  const ref = parseConversationId(conversationId)
  if (ref === null || (ref.kind === 'direct' && otherUser(ref, identity.userId) === undefined)) throw new TidelogError('NOT_FOUND')
  const [head, member] = await Promise.all([
    context.log.head(ref.conversationId), ref.kind === 'common' ? undefined : context.log.member(ref.conversationId, identity.id)
  ])
  if (ref.kind === 'room' && (member === undefined || head === undefined || head.deleted === true)) throw notMemberError(head)
  return { ref, member, head, fromSeq: head === undefined ? seqOf(0) : afterSeqOf(head, member) }
}

/**
 * A message that the caller may see.
 * @throws TidelogError NOT_FOUND where there is none, or none for the caller.
 */
export async function requireVisibleMessage (context: ChatContext, identity: Identity, messageId: string): Promise<{ row: LogRow, entitlement: Access }> {
  const row = await findMessage(context, messageId)
  let found: Access
  try {
    found = await requireAccess(context, identity, row.conversationId)
  } catch (error) {
    // Whoever has not joined a public room does not learn what is in it either.
    throw error instanceof TidelogError && error.status < 500 ? new TidelogError('NOT_FOUND') : error
  }
  if (row.seq! <= found.fromSeq || found.member?.hiddenSeqs?.includes(row.seq!) === true) throw new TidelogError('NOT_FOUND')
  return { row, entitlement: found }
}

/** What a rule about a change of a message is told beside the message. */
export interface RuleContext {
  head: Head
  /** Null outside rooms too. */
  actor: Member | null
}

/** Who asks for a change of a message, where the log must look at their membership again. */
export function actorOf ({ id }: Identity, conversationId: string): { actor?: ObjectId } {
  return parseConversationId(conversationId)?.kind === 'room' ? { actor: id } : {}
}

/**
 * What a change of a room's message must still find when it is committed: whoever was removed meanwhile is a stranger. In
 * other conversations nobody is removed.
 */
export function requireStillMember ({ conversationId }: LogRow, { head, actor }: RuleContext): void {
  if ((actor === null || head.deleted === true) && parseConversationId(conversationId)?.kind === 'room') throw new TidelogError('NOT_FOUND')
}

/** @throws TidelogError NOT_FOUND */
export async function findMessage (context: ChatContext, messageId: string): Promise<LogRow> {
  const row = await context.log.collections.rows.findOne({ _id: objectId(messageId), kind: 'message' })
  if (row === null) throw new TidelogError('NOT_FOUND')
  return row
}

/** What changes in a direct conversation reaches the other like a message does. @throws TidelogError NOT_ALLOWED if they have blocked the caller */
export async function requireNotBlocked (context: ChatContext, { userId }: Identity, ref: ConversationRef): Promise<void> {
  const other = ref.kind === 'direct' ? otherUser(ref, userId) : undefined
  if (other === undefined) return
  const blocked = context.blocks.peek(other) ?? await context.blocks.get(other)
  if (blocked.has(userId)) throw new TidelogError('NOT_ALLOWED', 'This user does not take messages from you')
}
