import { TidelogError } from '../../errors.ts'
import type { RoomMessage, SendRoomInput } from '../../schemas/message.ts'
import { type ChatContext, type PreparedCommit, atOnce } from '../context.ts'
import { normalRoomId, roomConversationId } from '../rules/conversation-id.ts'
import { sendRule } from '../rules/room-rules.ts'
import { type SentMessage, commitMessage, buildMessageRow, findDuplicate } from './send-message.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Sends a message to a room. The sender must be a member when it is committed, except for a system message.
 * @throws TidelogError VALIDATION, NOT_FOUND (unknown, or private to a stranger), NOT_ALLOWED (public, not joined),
 * READ_ONLY, SLOW_MODE, IDEMPOTENCY_MISMATCH, RATE_LIMITED
 */
export const sendRoom = atOnce(prepareRoom)

export async function prepareRoom (
  context: ChatContext, identity: Identity, input: SendRoomInput
): Promise<PreparedCommit<SentMessage<RoomMessage>>> {
  context.countSend(identity.userId)
  const roomId = normalRoomId(input.roomId)
  const conversationId = roomConversationId(roomId)
  const row = await buildMessageRow(context, identity, conversationId, { ...input, listingId: null })
  row.roomId = roomId
  // `buildMessageRow` lets only administrators send a system message.
  const rules = row.messageType === 'system' ? {} : { requiresMember: identity.id, rule: sendRule(identity.isAdmin) }
  return async () => {
    try {
      return await commitMessage<RoomMessage>(context, { type: 'append', conversationId, row, ...rules })
    } catch (error) {
      // A retry of a stored message is not a second message.
      const isHeld = error instanceof TidelogError && (error.code === 'SLOW_MODE' || error.code === 'READ_ONLY')
      const stored = isHeld ? await findDuplicate<RoomMessage>(context, conversationId, row) : null
      if (stored !== null) return stored
      throw error
    }
  }
}
