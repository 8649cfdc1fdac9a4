import type { FastifyBaseLogger } from 'fastify'
import type { Session } from '../auth/identity.ts'
import type { ChatContext } from '../chat/context.ts'
import type { TidelogError } from '../errors.ts'
import type { SyncContext } from '../sync/context.ts'
import type { ChatNodes } from '../live/relay.ts'
import type { LiveDelivery } from '../live/live-delivery.ts'
import type { ChatServer, ChatSocket } from '../connection/socket-types.ts'
import type { Subscriptions } from '../live/subscriptions.ts'
import type { InboundQueue } from '../connection/inbound-queue.ts'
import type { OutboundBuffer } from '../connection/outbound-buffer.ts'
import type { PresenceService } from '../presence/presence-service.ts'
import type { TokenTimer } from './token-timer.ts'
import type { Typists } from './typists.ts'
import type { OperationQueue } from './operation-queue.ts'
import type { TypingThrottle } from './typing-throttle.ts'

/** Services that all sockets of this process share. */
export interface SocketServices {
  io: ChatServer
  chat: ChatContext
  sync: SyncContext
  nodes: ChatNodes
  subscriptions: Subscriptions
  live: LiveDelivery
  logger: FastifyBaseLogger
  verifyToken: (token: unknown) => Promise<Session>
  /** Throws INVALID_TOKEN or UNKNOWN_USER if the session has ended. */
  requireSession: (session: Session) => void | Promise<void>
  /** Runs the answer to an event in a trace. Undefined: nothing is traced. */
  traced: ((socket: ChatSocket, event: string, run: () => Promise<void>) => Promise<void>) | undefined
  presence: PresenceService
  typists: Typists
  bounds: SocketBounds
  /** Turns any error into a failure for the client. */
  toTidelogError: (error: Error) => TidelogError
}

/** Limits for one user and one connection. */
export interface SocketBounds {
  /** Operations of a user over all transports, counted by `plugins/rate-limit.ts`. */
  requests: {
    consume: (userId: string) => void
    isFlooding: (userId: string) => boolean
    waitMs: (userId: string) => number
  }
  /** Sockets of one user in this process. 0: no limit. */
  sockets: number
  /** Largest packet, in bytes. */
  packetBytes: number
}

/** One socket and its services. */
export interface SocketContext extends SocketServices {
  socket: ChatSocket
  inbound: InboundQueue
  outbound: OutboundBuffer
  operations: OperationQueue
  typing: TypingThrottle
  tokenClock: TokenTimer
  /** Turns an error of this event into a failure for the client, and logs it. */
  toLoggedError: (event: string) => (thrown: unknown) => TidelogError
}
