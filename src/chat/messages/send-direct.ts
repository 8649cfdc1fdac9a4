import { TidelogError } from '../../errors.ts'
import type { DirectMessage, SendDirectInput } from '../../schemas/message.ts'
import type { ChatContext, PreparedCommit } from '../context.ts'
import { directId } from '../rules/conversation-id.ts'
import { type SentMessage, commitMessage, buildMessageRow, findDuplicate } from './send-message.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Sends a message to one user; the first one opens their conversation.
 * @throws TidelogError VALIDATION, NOT_ALLOWED (oneself, blocked), USER_NOT_FOUND, IDEMPOTENCY_MISMATCH, RATE_LIMITED
 */
export async function prepareDirect (
  context: ChatContext, identity: Identity, input: SendDirectInput
): Promise<PreparedCommit<SentMessage<DirectMessage>>> {
  context.countSend(identity.userId)
  const receiverId = input.receiverId.toLowerCase()
  if (receiverId === identity.userId) throw new TidelogError('NOT_ALLOWED', 'You cannot send a message to yourself')
  const conversationId = directId(identity.userId, receiverId)
  const receiver = context.users.peek(receiverId) ?? await context.users.get(receiverId)
  const blocked = context.blocks.peek(receiverId) ?? await context.blocks.get(receiverId)
  if (receiver === undefined) throw new TidelogError('USER_NOT_FOUND')
  const row = await buildMessageRow(context, identity, conversationId, input)
  row.receiverId = receiver._id
  // Read the listing now, so that the reply need not wait for it after the commit.
  if (row.listingId !== undefined && context.listings.peek(row.listingId) === undefined) {
    await context.listings.get(row.listingId)
  }
  if (receiver.isActive === false || blocked.has(identity.userId)) {
    const stored = await findDuplicate<DirectMessage>(context, conversationId, row)
    if (stored !== null) return async () => stored
    throw receiver.isActive === false
      ? new TidelogError('USER_NOT_FOUND')
      : new TidelogError('NOT_ALLOWED', 'This user does not take messages from you')
  }
  const members = [{ userId: identity.id, role: 'member' as const }, { userId: receiver._id, role: 'member' as const }]
  return async () => await commitMessage(
    context, { type: 'append', conversationId, row, open: { kind: 'direct', members } }
  )
}
