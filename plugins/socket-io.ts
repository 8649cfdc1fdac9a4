import { type IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'
import fastifySocketIO from 'fastify-socket.io'
import { type Config, allowedOrigins } from '../src/config.ts'
import { OpenConnections } from '../src/open-connections.ts'
import { type TidelogError, failureBody } from '../src/errors.ts'
import { nobodysMs, requireSocketRoom } from '../src/sockets/serve-socket.ts'
import { allWritten, closeEngine, disconnectAll, guardEngine, writeFailure } from '../src/connection/socket-io.ts'
import { RefusalLog } from '../src/sockets/refusal-log.ts'
import type { SocketBounds } from '../src/sockets/context.ts'
import type { ChatServer, ChatSocket } from '../src/connection/socket-types.ts'
import { PendingRequests } from '../src/sockets/pending-requests.ts'
import { toTidelogError } from '../src/to-tidelog-error.ts'

declare module 'fastify' {
  interface FastifyInstance {
    io: ChatServer
    /** What sockets wait to be answered. */
    pendingRequests: PendingRequests
    /** What one user and one connection may cause. */
    socketBounds: SocketBounds
  }
}

/** Milliseconds that a shutdown waits for answers under way, and then for websockets to take their last packets and go. */
const answersPatienceMs = 5_000
const websocketsPatienceMs = 2_000

/**
 * Opens Socket.IO on the same port, and lets in whoever has a good token. Closing tells every socket, answers what
 * is under way, REST calls too, and waits for nothing else.
 */
export default fp(async function socketIo (app, config: Config) {
  const work = new PendingRequests()
  const { requests, handshakes } = app.limiters
  const bounds: SocketBounds = { requests, sockets: config.SOCKETS_MAX, packetBytes: config.OUTBOX_BYTES_MAX }
  const refusals = new RefusalLog(line => { app.log.info(line, 'sockets refused') })
  app.decorate('pendingRequests', work)
  app.decorate('socketBounds', bounds)
  await app.register(fastifySocketIO.default, {
    // Compressing small packets costs far more than it saves.
    perMessageDeflate: false,
    maxHttpBufferSize: config.OUTBOX_BYTES_MAX,
    // A connection that asks for no namespace is nobody's.
    connectTimeout: nobodysMs,
    allowRequest: (request: IncomingMessage, decide: (error: string | null, allowed: boolean) => void) => {
      try {
        handshakes.consume(app.addressOf(request))
        decide(null, true)
      } catch (thrown) {
        const error = toTidelogError(thrown as Error)
        refusals.add('handshake', error.code)
        writeRefusal(request, error)
        decide(error.message, false)
      }
    },
    cors: { origin: allowedOrigins(config) },
    preClose: done => { void close(app.io, work, connections).then(() => { done() }) }
  })
  // After Socket.IO, which puts itself before all other listeners.
  const connections = new OpenConnections(app.server)

  guardEngine(app.io, app.server, {
    packets: config.RATE_LIMIT_PACKETS, connects: config.RATE_LIMIT_CONNECTS, packetBytes: bounds.packetBytes, waitingBytes: config.WAITING_BYTES_MAX
  })

  /** @throws TidelogError */
  async function admit (socket: ChatSocket): Promise<void> {
    try {
      socket.data.session = await app.verifyToken((socket.handshake.auth as Record<string, unknown> | undefined)?.['token'])
    } catch (error) {
      if (toTidelogError(error as Error).status === 401) requests.consume(`address:${app.addressOf(socket.request)}`)
      throw error
    }
    const { userId } = socket.data.session.identity
    requests.consume(userId)
    requireSocketRoom(app.io, userId, bounds)
  }

  app.io.use((socket, next) => {
    if (work.closing) return next(new Error('The server is shutting down'))
    admit(socket).then(() => { next() }, (thrown: Error) => {
      const error = toTidelogError(thrown)
      refusals.add('connect', error.code)
      next(Object.assign(new Error(error.message), { data: failureBody(error) }))
    })
  })

  app.addHook('onClose', async () => { refusals.flush() })
}, { name: 'socket-io', dependencies: ['jwt', 'rate-limit', 'addresses'] })

/** Answers a handshake itself: Engine.IO knows no status for it. */
function writeRefusal (request: IncomingMessage & { res?: ServerResponse }, error: TidelogError): void {
  if (request.res !== undefined) {
    writeFailure(request.res, error)
    return
  }
  const response = new ServerResponse(request)
  response.assignSocket(request.socket)
  response.shouldKeepAlive = false
  writeFailure(response, error)
}

/** Answers what is under way, tells every socket, and then closes the connections. */
async function close (io: ChatServer, work: PendingRequests, connections: OpenConnections): Promise<void> {
  work.closing = true
  await work.drain(answersPatienceMs)
  disconnectAll(io)
  const patience = new AbortController()
  const isOver = delay(websocketsPatienceMs, undefined, { signal: patience.signal }).catch(() => {})
  await Promise.race([allWritten(io), isOver])
  closeEngine(io)
  // Not before: a polling client may be about to ask on one of them.
  connections.endUnused()
  // A client that is asleep answers no farewell either.
  await Promise.race([connections.websocketsClosed(), isOver])
  patience.abort()
  connections.endWebsockets()
  // A REST call that takes longer than this, or whose answer nobody reads, is not waited for.
  setTimeout(() => { connections.endAll() }, answersPatienceMs).unref()
}
