import { guardedBy } from '../chat/context.ts'
import type { Prepared } from '../chat/send.ts'
import { TidelogError } from '../errors.ts'
import { type Check, checkOf } from '../lib/json-schema.ts'
import { type ClientEventName, clientEvents } from '../schemas/events.ts'
import { type Answer, acknowledge, readArguments, refuse } from './acknowledge.ts'
import { Outlet } from './outlet.ts'
import type { Live, SocketServices } from './services.ts'
import { table } from './table.ts'
import { TokenClock } from './token-clock.ts'
import { Turns } from './turns.ts'
import { type ChatSocket, sessionRoom, userRoom } from './types.ts'
import { TypingThrottle } from './typing.ts'
import type { SocketWork } from './work.ts'

type Handler = (live: Live, data: unknown) => Promise<Prepared<Answer>>

/** The table, with its schemas compiled. A Map: no name that a client sends finds a property of an object. */
const handlers = new Map(Object.entries(table).map(([name, { failure, run }]): [string, { check: Check, failure: string, run: Handler }] =>
  [name, { check: checkOf(clientEvents[name as ClientEventName].input), failure, run: run as Handler }]))

/** Serves a socket whose handshake went well, until it is gone. */
export function serve (socket: ChatSocket, services: SocketServices, work: SocketWork): void {
  const { identity } = socket.data.session
  const log = services.log.child({ socketId: socket.id, userId: identity.userId })
  const live: Live = {
    ...services,
    chat: guardedBy(services.chat, () => services.requireSession(socket.data.session)),
    log,
    socket,
    outlet: Outlet.of(socket),
    failing: event => thrown => {
      const error = services.toFailure(thrown instanceof Error ? thrown : new Error(String(thrown)))
      if (error.status >= 500) log.error({ err: thrown, event }, 'event failed')
      else log.info({ event, code: error.code }, 'event refused')
      return error
    },
    turns: new Turns(),
    typing: new TypingThrottle(),
    tokenClock: new TokenClock(
      expiresAt => { socket.emit('tokenExpiring', { expiresAt: expiresAt.toISOString() }) },
      expiresAt => {
        log.info('token expired')
        socket.emit('tokenExpired', { expiredAt: expiresAt.toISOString() })
        socket.disconnect(true)
      }
    )
  }
  void socket.join([userRoom(identity.userId), sessionRoom(identity.sessionId)])
  live.presence.serve(socket, identity.userId)
  live.tokenClock.follow(socket.data.session)
  log.info({ transport: socket.conn.transport.name }, 'socket connected')
  socket.on('disconnect', reason => {
    live.tokenClock.stop()
    log.info({ reason }, 'socket disconnected')
  })
  socket.onAny((event: unknown, ...given: unknown[]) => { work.add(answer(live, String(event).slice(0, 100), given, work.closing)) })
}

/** Answers one event, whatever it is; never rejects. */
async function answer (live: Live, event: string, given: unknown[], closing: boolean): Promise<void> {
  const { data, callback } = readArguments(given)
  const handler = handlers.get(event)
  try {
    if (handler === undefined) throw new TidelogError('VALIDATION', 'There is no such event')
    if (closing) throw new TidelogError('UNAVAILABLE', 'The server is shutting down', { retryAfterMs: 1_000 })
    const wrong = handler.check(data)
    if (wrong !== undefined) throw new TidelogError('VALIDATION', wrong)
    const answered = await live.turns.run(() => whenTaken(live, () => inSession(live, () => handler.run(live, data))))
    live.log.debug({ event }, 'event answered')
    acknowledge(live.socket, answered, callback)
  } catch (thrown) {
    const error = live.failing(event)(thrown)
    refuse(live.socket, error, { event, text: handler?.failure ?? 'Unknown event', data }, callback)
  }
}

/** A session that has ended does nothing more, not even what it had asked for before. */
async function inSession<R> ({ socket, requireSession }: Live, run: () => Promise<R>): Promise<R> {
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
function whenTaken<R> ({ outlet }: Live, run: () => Promise<R>): Promise<R> {
  const room = outlet.room()
  return room === undefined ? run() : room.then(run)
}
