import type { FastifyBaseLogger } from 'fastify'
import type { DefaultEventsMap, Server, Socket } from 'socket.io'
import type { Revoked, Session } from '../auth/identity.ts'
import type { ChatContext } from '../chat/context.ts'
import type { TidelogError } from '../errors.ts'
import type { ClientToServer, ServerToClient } from '../schemas/events.ts'
import type { SyncContext } from '../sync/context.ts'
import type { Beacon } from './beacon.ts'
import type { Outlet } from './outlet.ts'
import type { PresenceService } from './presence.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { TokenClock } from './token-clock.ts'
import type { Turns } from './turns.ts'
import type { TypingThrottle } from './typing.ts'

export interface SocketData {
  /** What the newest token says; set by the handshake. */
  session: Session
}

/** What nodes tell each other. */
export interface NodeToNode {
  /** A commit, in BSON. */
  committed: (committed: Uint8Array) => void
  revoked: (revoked: Revoked) => void
  userChanged: (userId: string) => void
}

export type ChatServer = Server<ClientToServer, ServerToClient, NodeToNode, SocketData>
export type ChatSocket = Socket<ClientToServer, ServerToClient, DefaultEventsMap, SocketData>

/** What all sockets of this process share. */
export interface SocketServices {
  io: ChatServer
  chat: ChatContext
  sync: SyncContext
  subscriptions: Subscriptions
  beacon: Beacon
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
  outlet: Outlet
  turns: Turns
  typing: TypingThrottle
  tokenClock: TokenClock
  /** The failure that stands for whatever an event ran into, logged. */
  failing: (event: string) => (thrown: unknown) => TidelogError
}

/** Names of Socket.IO rooms. Those of conversations are their ids, except of direct ones: these go to their users. */
export const userRoom = (userId: string): string => `user_${userId}`
export const sessionRoom = (sessionId: string): string => `session_${sessionId}`
/** Sockets of a user that follow all of their conversations. */
export const liveRoom = (userId: string): string => `live_${userId}`
/** Sockets of one user in one conversation. */
export const placeRoom = (conversationId: string, userId: string): string => `${conversationId}|${userId}`
