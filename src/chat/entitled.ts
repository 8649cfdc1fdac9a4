import type { Identity } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import type { Head, LogRow, Member } from '../log/types.ts'
import type { ChatContext } from './context.ts'
import { type ConversationRef, objectId, otherUser, parseConversationId } from './conversation-id.ts'

/** What a user who is no member of a room is told: that it is not there, unless it is public. */
export function strangerToRoom (head: Head | undefined): TidelogError {
  return head === undefined || head.isPrivate === true
    ? new TidelogError('NOT_FOUND')
    : new TidelogError('NOT_ALLOWED', 'Join the room first')
}

/** A conversation that the caller may read, and their membership where it has any. */
export interface Entitlement {
  ref: ConversationRef
  member: Member | undefined
}

/**
 * The caller's place in a conversation. A direct one of theirs need not exist yet.
 * @throws TidelogError NOT_FOUND to a stranger, NOT_ALLOWED for a public room that was not joined.
 */
export async function entitlement (context: ChatContext, identity: Identity, conversationId: string): Promise<Entitlement> {
  const ref = parseConversationId(conversationId)
  if (ref === null || (ref.kind === 'direct' && otherUser(ref, identity.userId) === undefined)) throw new TidelogError('NOT_FOUND')
  if (ref.kind === 'common') return { ref, member: undefined }
  const member = await context.log.member(ref.conversationId, identity.id)
  if (ref.kind === 'room' && member === undefined) throw strangerToRoom(await context.log.head(ref.conversationId))
  return { ref, member }
}

/**
 * A message that the caller may see.
 * @throws TidelogError NOT_FOUND where there is none, or none for the caller.
 */
export async function visibleMessage (context: ChatContext, identity: Identity, messageId: string): Promise<{ row: LogRow, entitlement: Entitlement }> {
  const row = await findMessage(context, messageId)
  try {
    return { row, entitlement: await entitlement(context, identity, row.conversationId) }
  } catch (error) {
    // Whoever has not joined a public room does not learn what is in it either.
    throw error instanceof TidelogError && error.status < 500 ? new TidelogError('NOT_FOUND') : error
  }
}

/** @throws TidelogError NOT_FOUND */
export async function findMessage (context: ChatContext, messageId: string): Promise<LogRow> {
  const row = await context.log.collections.log.findOne({ _id: objectId(messageId), kind: 'message' })
  if (row === null) throw new TidelogError('NOT_FOUND')
  return row
}
