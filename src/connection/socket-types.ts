import type { DefaultEventsMap, Server, Socket } from 'socket.io'
import type { Session } from '../auth/identity.ts'
import type { Rev } from '../log/model/types.ts'
import { userChannel } from '../nodes/channels.ts'
import type { ClientToServer, ServerToClient } from '../schemas/events.ts'

interface SocketData {
  /** The session of the newest token. The handshake sets it. */
  session: Session
}

/** Somebody types in a room or the common chat, or has stopped. */
export interface TypingNotice {
  conversationId: string
  userId: string
  on: boolean
  /** The conversation's rev when they typed. */
  rev: Rev
}

export type ChatServer = Server<ClientToServer, ServerToClient, DefaultEventsMap, SocketData>
export type ChatSocket = Socket<ClientToServer, ServerToClient, DefaultEventsMap, SocketData>

/**
 * Socket.IO room names. A conversation's room has its id. A direct conversation's events go to `directRoom` of its two
 * users, and to its own room, which has the sockets that named it. A user's room, and that of a room or the common
 * chat, has the name of the channel by which nodes tell each other.
 */
export const userRoom = userChannel
/** Sockets of a user that get all of their direct conversations. */
export const directRoom = (userId: string): string => `direct_${userId}`
export const sessionRoom = (sessionId: string): string => `session_${sessionId}`
/** Sockets of a user that get the self log live, and all conversations or those that they named. */
export const liveRoom = (userId: string): string => `live_${userId}`
/** Sockets of one user in one conversation. */
export const memberRoom = (conversationId: string, userId: string): string => `${conversationId}|${userId}`
