import type { Identity } from '../auth/identity.ts'
import type { RoomMessage, SendRoomInput } from '../schemas/message.ts'
import type { ChatContext } from './context.ts'
import { normalRoomId, roomConversationId } from './conversation-id.ts'
import { strangerToRoom } from './room-rules.ts'
import { roomPayload } from './payload.ts'
import { type Prepared, type Sent, commitMessage, newMessage } from './send.ts'

/**
 * Sends a message to a room of which the sender is a member when it is committed.
 * @throws TidelogError VALIDATION, NOT_FOUND (unknown, or private to a stranger), NOT_ALLOWED (public, not joined),
 * IDEMPOTENCY_MISMATCH, RATE_LIMITED
 */
export async function sendRoom (context: ChatContext, identity: Identity, input: SendRoomInput): Promise<Sent<RoomMessage>> {
  return await (await prepareRoom(context, identity, input))()
}

export async function prepareRoom (context: ChatContext, identity: Identity, input: SendRoomInput): Promise<Prepared<Sent<RoomMessage>>> {
  context.countSend(identity.userId)
  const roomId = normalRoomId(input.roomId)
  const conversationId = roomConversationId(roomId)
  const row = await newMessage(context, identity, conversationId, { ...input, listingId: null })
  row.roomId = roomId
  return async () => await commitMessage(
    context,
    { changes: [{ type: 'append', conversationId, row, requiresMember: identity.id }] },
    roomPayload,
    async () => strangerToRoom(await context.log.head(conversationId))
  )
}
