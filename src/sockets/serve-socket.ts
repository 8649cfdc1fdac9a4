import { type PreparedCommit, guardedBy } from '../chat/context.ts'
import { TidelogError, tooLargeText } from '../errors.ts'
import { type Check, checkOf } from '../lib/json-schema.ts'
import { type ClientEventName, clientEvents } from '../schemas/events.ts'
import { type Reply, type Callback, sendReply, readArguments, sendFailure } from './reply.ts'
import { inboundQueueOf } from '../connection/engine-io.ts'
import { acknowledgeRaw, clientOf } from '../connection/socket-io.ts'
import { OutboundBuffer } from '../connection/outbound-buffer.ts'
import { RefusalLog } from './refusal-log.ts'
import type { SocketContext, SocketBounds, SocketServices } from './context.ts'
import { eventHandlers } from './handlers.ts'
import { TokenTimer } from './token-timer.ts'
import { OperationQueue } from './operation-queue.ts'
import { type ChatServer, type ChatSocket, directRoom, sessionRoom, userRoom } from '../connection/socket-types.ts'
import { TypingThrottle } from './typing-throttle.ts'
import type { PendingRequests } from './pending-requests.ts'

interface Handler {
  check: Check
  failure: string
  keep: (data: unknown) => unknown
  run: (live: SocketContext, data: unknown) => Promise<PreparedCommit<Reply>>
}

/**
 * Event handlers with their schemas compiled. A Map, because in an object a client's event name could find an inherited
 * property.
 */
const handlers = new Map(
  Object.entries(eventHandlers).map(([name, { failure, keep = (data: unknown) => data, run }]): [string, Handler] => [
    name, { check: checkOf(clientEvents[name as ClientEventName].input), failure, keep, run: run as Handler['run'] }
  ])
)

/** An event that a client sent. */
interface Incoming {
  event: string
  handler: Handler | undefined
  /** The part of the payload that the event uses: nothing else is kept while it waits. */
  data: unknown
  callback: Callback | undefined
}

/** Milliseconds that a connection may stay open without an authenticated user. */
export const nobodysMs = 10_000

/** @throws TidelogError RATE_LIMITED if the user has the maximum number of sockets in this process */
export function requireSocketRoom (
  io: ChatServer, userId: string, { sockets: max }: Pick<SocketBounds, 'sockets'>
): void {
  const sockets = io.of('/').adapter.rooms.get(userRoom(userId))?.size ?? 0
  if (max > 0 && sockets >= max) {
    throw new TidelogError('RATE_LIMITED', 'This user has too many sockets', { retryAfterMs: nobodysMs })
  }
}

/** Serves a socket from its handshake until it closes. */
export function serveSocket (socket: ChatSocket, services: SocketServices, work: PendingRequests): void {
  const { identity } = socket.data.session
  try {
    // Several handshakes may have passed the check at the same time.
    requireSocketRoom(services.io, identity.userId, services.bounds)
  } catch {
    socket.disconnect(true)
    return
  }
  const refusals = new RefusalLog(line => { live.logger.info(line, 'events refused') })
  const live = contextOf(socket, services, refusals)
  const { logger, inbound } = live
  void socket.join([userRoom(identity.userId), directRoom(identity.userId), sessionRoom(identity.sessionId)])
  live.presence.serve(socket, identity.userId)
  live.tokenClock.follow(socket.data.session)
  logger.info({ transport: socket.conn.transport.name }, 'socket connected')
  inbound.ownedBy({
    onOther: () => { spend(live) },
    onTooLarge: (event, ackId) => { refuseTooLarge(live, event, ackId) },
    onFlood: retryAfterMs => { disconnectFlood(live, retryAfterMs) }
  })
  socket.on('disconnect', reason => {
    live.tokenClock.stop()
    live.typists.gone(identity.userId, socket.id, live.typing.on())
    refusals.flush()
    logger.info({ reason }, 'socket disconnected')
    endNobodys(socket)
  })
  socket.onAny((name: unknown, ...given: unknown[]) => { receive(live, String(name).slice(0, 100), given, work) })
}

/** What the operations of one socket work on. */
function contextOf (socket: ChatSocket, services: SocketServices, refusals: RefusalLog): SocketContext {
  const logger = services.logger.child({ socketId: socket.id, userId: socket.data.session.identity.userId })
  return {
    ...services,
    chat: guardedBy(services.chat, () => services.requireSession(socket.data.session)),
    logger,
    socket,
    inbound: inboundQueueOf(socket),
    outbound: OutboundBuffer.of(socket),
    toLoggedError: event => thrown => {
      const error = services.toTidelogError(thrown instanceof Error ? thrown : new Error(String(thrown)))
      if (error.status >= 500) logger.error({ err: thrown, event }, 'event failed')
      else refusals.add(event, error.code)
      return error
    },
    operations: new OperationQueue(),
    typing: new TypingThrottle(),
    tokenClock: new TokenTimer(
      expiresAt => { socket.emit('tokenExpiring', { expiresAt: expiresAt.toISOString() }) },
      expiresAt => {
        logger.info('token expired')
        socket.emit('tokenExpired', { expiredAt: expiresAt.toISOString() })
        socket.disconnect(true)
      }
    )
  }
}

/** Counts an event against the user's limit, and answers it. */
function receive (live: SocketContext, event: string, given: unknown[], work: PendingRequests): void {
  const { socket, inbound, traced, bounds } = live
  const { data, callback } = readArguments(given)
  const handler = handlers.get(event)
  if (!spend(live)) {
    const retryAfterMs = bounds.requests.waitMs(socket.data.session.identity.userId)
    refuseIncoming(
      live, { event, handler, data, callback }, new TidelogError('RATE_LIMITED', undefined, { retryAfterMs })
    )
    return
  }
  inbound.eventStarted()
  const incoming = { event, handler, data: handler === undefined ? data : handler.keep(data), callback }
  const run = () => answer(live, incoming, work.closing)
  // Only an event of ours names a span: a client can invent any number of names.
  work.add(traced === undefined || handler === undefined ? run() : traced(socket, event, run))
}

/** Closes a connection whose last user has left, unless another one authenticates in time. */
function endNobodys (socket: ChatSocket): void {
  const { sockets, conn } = clientOf(socket)
  setTimeout(() => { if (sockets.size === 0) conn.close() }, nobodysMs).unref()
}

/**
 * Counts an operation against the user's limit. Closes the connection if it keeps exceeding it.
 * @returns false: it is refused
 */
function spend ({ bounds: { requests }, socket, inbound }: SocketContext): boolean {
  const { userId } = socket.data.session.identity
  try {
    requests.consume(userId)
    return true
  } catch {
    if (requests.isFlooding(userId)) inbound.flood(requests.waitMs(userId))
    return false
  }
}

function refuseIncoming (live: SocketContext, { event, handler, data, callback }: Incoming, thrown: unknown): void {
  sendFailure(
    live.socket, live.toLoggedError(event)(thrown), { event, text: handler?.failure ?? 'Unknown event', data }, callback
  )
}

function refuseTooLarge (live: SocketContext, event: string, ackId: number | undefined): void {
  const error = live.toLoggedError(event)(new TidelogError('TOO_LARGE', tooLargeText(live.bounds.packetBytes)))
  const acknowledge = (answer: object) => { acknowledgeRaw(live.socket, ackId!, answer) }
  const callback = ackId === undefined ? undefined : acknowledge
  sendFailure(
    live.socket, error, { event, text: handlers.get(event)?.failure ?? 'Unknown event', data: undefined }, callback
  )
}

function disconnectFlood (live: SocketContext, retryAfterMs: number): void {
  const { socket, logger } = live
  logger.warn({ retryAfterMs }, 'socket closed: it sent, or left unread, more than one connection may')
  sendFailure(
    socket,
    new TidelogError('RATE_LIMITED', undefined, { retryAfterMs }),
    { event: '', text: 'Too many requests', data: undefined },
    undefined
  )
  socket.disconnect(true)
}

/** Answers one event of any kind. Never rejects. */
async function answer (live: SocketContext, incoming: Incoming, closing: boolean): Promise<void> {
  const { event, handler, data, callback } = incoming
  try {
    if (handler === undefined) throw new TidelogError('VALIDATION', 'There is no such event')
    if (closing) throw new TidelogError('UNAVAILABLE', 'The server is shutting down', { retryAfterMs: 1_000 })
    const wrong = handler.check(data)
    if (wrong !== undefined) throw new TidelogError('VALIDATION', wrong)
    const answered = await live.operations.run(() =>
      whenDrained(live, () => inSession(live, () => handler.run(live, data)))
    )
    live.logger.debug({ event }, 'event answered')
    sendReply(live.socket, answered, callback)
  } catch (thrown) {
    refuseIncoming(live, incoming, thrown)
  } finally {
    live.inbound.eventFinished()
  }
}

/** Runs an operation only while its session is valid, even if it was requested before the session ended. */
function inSession<R> ({ socket, requireSession }: SocketContext, run: () => Promise<R>): Promise<R> {
  const refuse = (error: unknown): never => {
    if (error instanceof TidelogError && error.status === 401) setImmediate(() => { socket.disconnect(true) })
    throw error
  }
  try {
    const pending = requireSession(socket.data.session)
    return pending === undefined ? run() : pending.then(run, refuse)
  } catch (error) {
    return refuse(error)
  }
}

/** Delays the operation until the client takes its earlier answers. */
function whenDrained<R> ({ outbound }: SocketContext, run: () => Promise<R>): Promise<R> {
  const room = outbound.whenDrained()
  return room === undefined ? run() : room.then(run)
}
