import type { DefaultEventsMap, Server, Socket } from 'socket.io'
import type { Revocation, Session } from '../auth/identity.ts'
import type { Rev } from '../log/model/types.ts'
import type { ClientToServer, ServerToClient } from '../schemas/events.ts'

interface SocketData {
  /** What the newest token says; set by the handshake. */
  session: Session
}

/** What nodes tell each other. */
interface NodeToNode {
  /** A commit, in BSON. */
  committed: (committed: Uint8Array) => void
  revoked: (revoked: Revocation) => void
  userChanged: (userId: string) => void
  typing: (notice: TypingNotice) => void
}

/** Somebody types in a room or the common chat, or no longer. */
export interface TypingNotice {
  conversationId: string
  userId: string
  on: boolean
  /** The conversation's last change when it was said. */
  rev: Rev
}

export type ChatServer = Server<ClientToServer, ServerToClient, NodeToNode, SocketData>
export type ChatSocket = Socket<ClientToServer, ServerToClient, DefaultEventsMap, SocketData>

/** Names of Socket.IO rooms. Those of conversations are their ids, except of direct ones: these go to their users. */
export const userRoom = (userId: string): string => `user_${userId}`
export const sessionRoom = (sessionId: string): string => `session_${sessionId}`
/** Sockets of a user that follow all of their conversations. */
export const liveRoom = (userId: string): string => `live_${userId}`
/** Sockets of one user in one conversation. */
export const memberRoom = (conversationId: string, userId: string): string => `${conversationId}|${userId}`
