import type { FastifyBaseLogger } from 'fastify'
import type { Session } from '../auth/identity.ts'
import type { ChatContext } from '../chat/context.ts'
import type { TidelogError } from '../errors.ts'
import type { SyncContext } from '../sync/context.ts'
import type { Beacon } from './beacon.ts'
import type { Order } from './order.ts'
import type { Outlet } from './outlet.ts'
import type { PresenceService } from './presence.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { TokenClock } from './token-clock.ts'
import type { Turns } from './turns.ts'
import type { ChatServer, ChatSocket } from './types.ts'
import type { TypingThrottle } from './typing.ts'

/** What all sockets of this process share. */
export interface SocketServices {
  io: ChatServer
  chat: ChatContext
  sync: SyncContext
  subscriptions: Subscriptions
  beacon: Beacon
  order: Order
  log: FastifyBaseLogger
  verifyToken: (token: unknown) => Promise<Session>
  /** Throws INVALID_TOKEN or UNKNOWN_USER if the session has ended. */
  requireSession: (session: Session) => void | Promise<void>
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
