import { normalRoomId, roomConversationId } from '../chat/conversation-id.ts'
import { prepareJoin } from '../chat/join-room.ts'
import type { Prepared } from '../chat/send.ts'
import type { Answer } from './acknowledge.ts'
import type { Live } from './types.ts'

/**
 * Joins a room and starts its live delivery on this socket. Whoever may certainly join is let in before the commit: a
 * message that is sent right behind, without waiting for the answer, may commit with the join and must not be missed.
 */
export async function enterRoom ({ socket, chat }: Live, given: string): Promise<Prepared<Answer>> {
  const { identity } = socket.data.session
  const roomId = normalRoomId(given)
  const room = roomConversationId(roomId)
  const commit = await prepareJoin(chat, identity, roomId)
  const wasIn = socket.rooms.has(room)
  const [member, head] = await Promise.all([chat.log.member(room, identity.id), chat.log.head(room)])
  if ((member !== undefined || head?.isPrivate !== true) && socket.connected) await socket.join(room)
  return async () => {
    try {
      await commit()
    } catch (error) {
      if (!wasIn) await socket.leave(room)
      throw error
    }
    if (socket.connected) await socket.join(room)
    return { ack: { roomId }, event: ['joinedRoom', { roomId, success: true }] }
  }
}
