import { parseConversationId } from '../chat/rules/conversation-id.ts'
import type { ConversationLog } from '../log/conversation-log.ts'
import type { Rev } from '../log/model/types.ts'
import { onRoomCreated, onRoomDeleted, roomsOf } from '../connection/socket-io.ts'
import { type ChatServer, userRoom } from '../connection/socket-types.ts'
import type { ChatNodes } from './relay.ts'

/** Wants the channels of the users and conversations that this process's sockets get. */
export function followRooms (io: ChatServer, { channels }: ChatNodes): void {
  const ends = new Map<string, () => void>()
  onRoomCreated(io, room => { if (isChannel(room)) ends.set(room, channels.want(room)) })
  onRoomDeleted(io, room => {
    ends.get(room)?.()
    ends.delete(room)
  })
}

function isChannel (room: string): boolean {
  if (room.startsWith(userRoom(''))) return true
  const kind = parseConversationId(room)?.kind
  // What concerns a direct conversation goes to its users' channels.
  return kind === 'room' || kind === 'common'
}

/**
 * Calls `tell` with the rev of each conversation that this node has begun to hear: a change may have passed before.
 */
export function followActive (
  io: ChatServer, nodes: ChatNodes, log: Pick<ConversationLog, 'heads'>,
  { tell, onError }: { tell: (conversationId: string, rev: Rev) => void, onError: (error: unknown) => void }
): void {
  nodes.onActive(channels => {
    const ids = channels.filter(channel => roomsOf(io).has(channel) && parseConversationId(channel) !== null)
    if (ids.length === 0) return
    log.heads(ids).then(heads => { for (const [id, { headRev }] of heads) tell(id, headRev) }).catch(onError)
  })
}
