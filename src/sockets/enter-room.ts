import { normalRoomId, roomConversationId } from '../chat/rules/conversation-id.ts'
import { prepareJoin } from '../chat/rooms/join-room.ts'
import type { Reply } from './reply.ts'
import type { SocketContext } from './context.ts'
import type { PreparedCommit } from '../chat/context.ts'

/**
 * Joins a room and starts its live delivery on this socket: at once for a member, otherwise with the change that makes
 * the user a member. So the socket misses no message that is sent right after the request, and gets none from before
 * the joining.
 */
export async function enterRoom (
  { socket, chat, nodes, subscriptions }: SocketContext, given: string
): Promise<PreparedCommit<Reply>> {
  const { identity } = socket.data.session
  const roomId = normalRoomId(given)
  const conversationId = roomConversationId(roomId)
  const commit = await prepareJoin(chat, identity, roomId)
  const wasIn = socket.rooms.has(conversationId)
  const stopExpecting = await subscriptions.subscribeOnJoin(socket, conversationId)
  try {
    if (!wasIn) await subscriptions.subscribe(socket, conversationId)
  } catch (error) {
    stopExpecting()
    throw error
  }
  return async () => {
    try {
      await commit()
      // Another node may have made the user a member, and its commit may not have arrived here yet.
      if (!socket.rooms.has(conversationId)) await subscriptions.subscribe(socket, conversationId)
    } catch (error) {
      if (!wasIn) subscriptions.removeSocket(socket, conversationId)
      throw error
    } finally {
      stopExpecting()
    }
    // What other nodes commit after the answer is heard.
    await nodes.channels.settled()
    return { ack: { roomId }, event: ['joinedRoom', { roomId, success: true }] }
  }
}
