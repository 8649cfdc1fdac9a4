import type { RoomMessage, SendRoomInput } from '../../schemas/message.ts'
import type { ChatContext } from '../context.ts'
import { normalRoomId, roomConversationId } from '../rules/conversation-id.ts'
import { notMemberError } from '../rules/room-rules.ts'
import { type SentMessage, commitMessage, buildMessageRow } from './send-message.ts'
import type { Identity } from '../../users/identity.ts'
import type { PreparedCommit } from '../context.ts'

/**
 * Sends a message to a room. The sender must be a member when it is committed.
 * @throws TidelogError VALIDATION, NOT_FOUND (unknown, or private to a stranger), NOT_ALLOWED (public, not joined),
 * IDEMPOTENCY_MISMATCH, RATE_LIMITED
 */
export async function sendRoom (context: ChatContext, identity: Identity, input: SendRoomInput): Promise<SentMessage<RoomMessage>> {
  return await (await prepareRoom(context, identity, input))()
}

export async function prepareRoom (context: ChatContext, identity: Identity, input: SendRoomInput): Promise<PreparedCommit<SentMessage<RoomMessage>>> {
  context.countSend(identity.userId)
  const roomId = normalRoomId(input.roomId)
  const conversationId = roomConversationId(roomId)
  const row = await buildMessageRow(context, identity, conversationId, { ...input, listingId: null })
  row.roomId = roomId
  return async () => await commitMessage(
    context,
    { mutations: [{ type: 'append', conversationId, row, requiresMember: identity.id }] },
    async () => notMemberError(await context.log.head(conversationId))
  )
}
