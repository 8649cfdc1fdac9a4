import type { FastifyBaseLogger } from 'fastify'
import type { DefaultEventsMap, Server, Socket } from 'socket.io'
import type { Session } from '../auth/identity.ts'
import type { ChatContext } from '../chat/context.ts'
import type { TidelogError } from '../errors.ts'
import type { ClientToServer, ServerToClient } from '../schemas/events.ts'
import type { PresenceService } from './presence.ts'
import type { TokenClock } from './token-clock.ts'
import type { Turns } from './turns.ts'
import type { TypingThrottle } from './typing.ts'

export interface SocketData {
  /** What the newest token says; set by the handshake. */
  session: Session
}

export type ChatServer = Server<ClientToServer, ServerToClient, DefaultEventsMap, SocketData>
export type ChatSocket = Socket<ClientToServer, ServerToClient, DefaultEventsMap, SocketData>

/** What all sockets of this process share. */
export interface SocketServices {
  io: ChatServer
  chat: ChatContext
  log: FastifyBaseLogger
  verifyToken: (token: unknown) => Promise<Session>
  /** Sockets whose `markRead` is under way, by the member's key: they are answered, the others are told. */
  readers: Map<string, string>
  presence: PresenceService
  /** The failure that stands for whatever was thrown. */
  toFailure: (error: Error) => TidelogError
}

/** One live socket. */
export interface Live extends SocketServices {
  socket: ChatSocket
  turns: Turns
  typing: TypingThrottle
  tokenClock: TokenClock
  /** The failure that stands for whatever an event ran into, logged. */
  failing: (event: string) => (thrown: unknown) => TidelogError
}

/** Names of Socket.IO rooms. Those of conversations are their ids, except of direct ones: these go to their users. */
export const userRoom = (userId: string): string => `user_${userId}`
export const sessionRoom = (sessionId: string): string => `session_${sessionId}`
