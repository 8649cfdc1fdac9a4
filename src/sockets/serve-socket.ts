import { guardedBy } from '../chat/context.ts'
import { TidelogError } from '../errors.ts'
import { type Check, checkOf } from '../lib/json-schema.ts'
import { type ClientEventName, clientEvents } from '../schemas/events.ts'
import { type Reply, sendReply, readArguments, sendFailure } from './reply.ts'
import { Outlet } from './outlet.ts'
import type { SocketContext, SocketServices } from './context.ts'
import { eventHandlers } from './handlers.ts'
import { TokenTimer } from './token-timer.ts'
import { OperationQueue } from './operation-queue.ts'
import { type ChatSocket, sessionRoom, userRoom } from '../live/socket-types.ts'
import { TypingThrottle } from './typing-throttle.ts'
import type { PendingRequests } from './pending-requests.ts'
import type { PreparedCommit } from '../chat/context.ts'

type Handler = (live: SocketContext, data: unknown) => Promise<PreparedCommit<Reply>>

/** The table, with its schemas compiled. A Map: no name that a client sends finds a property of an object. */
const handlers = new Map(Object.entries(eventHandlers).map(([name, { failure, run }]): [string, { check: Check, failure: string, run: Handler }] =>
  [name, { check: checkOf(clientEvents[name as ClientEventName].input), failure, run: run as Handler }]))

/** Serves a socket whose handshake went well, until it is gone. */
export function serveSocket (socket: ChatSocket, services: SocketServices, work: PendingRequests): void {
  const { identity } = socket.data.session
  const logger = services.logger.child({ socketId: socket.id, userId: identity.userId })
  const live: SocketContext = {
    ...services,
    chat: guardedBy(services.chat, () => services.requireSession(socket.data.session)),
    logger,
    socket,
    outbound: Outlet.of(socket),
    toLoggedError: event => thrown => {
      const error = services.toTidelogError(thrown instanceof Error ? thrown : new Error(String(thrown)))
      if (error.status >= 500) logger.error({ err: thrown, event }, 'event failed')
      else logger.info({ event, code: error.code }, 'event refused')
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
  void socket.join([userRoom(identity.userId), sessionRoom(identity.sessionId)])
  live.presence.serve(socket, identity.userId)
  live.tokenClock.follow(socket.data.session)
  logger.info({ transport: socket.conn.transport.name }, 'socket connected')
  socket.on('disconnect', reason => {
    live.tokenClock.stop()
    live.typists.gone(identity.userId, socket.id, live.typing.on())
    logger.info({ reason }, 'socket disconnected')
  })
  socket.onAny((event: unknown, ...given: unknown[]) => { work.add(answer(live, String(event).slice(0, 100), given, work.closing)) })
}

/** Answers one event, whatever it is; never rejects. */
async function answer (live: SocketContext, event: string, given: unknown[], closing: boolean): Promise<void> {
  const { data, callback } = readArguments(given)
  const handler = handlers.get(event)
  try {
    if (handler === undefined) throw new TidelogError('VALIDATION', 'There is no such event')
    if (closing) throw new TidelogError('UNAVAILABLE', 'The server is shutting down', { retryAfterMs: 1_000 })
    const wrong = handler.check(data)
    if (wrong !== undefined) throw new TidelogError('VALIDATION', wrong)
    const answered = await live.operations.run(() => whenDrained(live, () => inSession(live, () => handler.run(live, data))))
    live.logger.debug({ event }, 'event answered')
    sendReply(live.socket, answered, callback)
  } catch (thrown) {
    const error = live.toLoggedError(event)(thrown)
    sendFailure(live.socket, error, { event, text: handler?.failure ?? 'Unknown event', data }, callback)
  }
}

/** A session that has ended does nothing more, not even what it had asked for before. */
async function inSession<R> ({ socket, requireSession }: SocketContext, run: () => Promise<R>): Promise<R> {
  try {
    const pending = requireSession(socket.data.session)
    if (pending !== undefined) await pending
  } catch (error) {
    if (error instanceof TidelogError && error.status === 401) setImmediate(() => { socket.disconnect(true) })
    throw error
  }
  return await run()
}

/** A client that takes no answers waits for further ones. */
function whenDrained<R> ({ outbound }: SocketContext, run: () => Promise<R>): Promise<R> {
  const room = outbound.room()
  return room === undefined ? run() : room.then(run)
}
