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
 * Socket.IO room names. A conversation's room has its id; a direct conversation's events go to the rooms of its two
 * users. Both have the names of the channels by which nodes tell each other.
 */
export const userRoom = userChannel
export const sessionRoom = (sessionId: string): string => `session_${sessionId}`
/** Sockets of a user that get all of their conversations live. */
export const liveRoom = (userId: string): string => `live_${userId}`
/** Sockets of one user in one conversation. */
export const memberRoom = (conversationId: string, userId: string): string => `${conversationId}|${userId}`
