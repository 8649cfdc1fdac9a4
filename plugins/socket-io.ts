import { type IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import fastifySocketIO from 'fastify-socket.io'
import { type Config, allowedOrigins } from '../src/config.ts'
import { OpenConnections } from '../src/open-connections.ts'
import { type TidelogError, failureBody } from '../src/errors.ts'
import { nobodysMs, requireSocketRoom } from '../src/sockets/serve-socket.ts'
import { allWritten, closeEngine, guardEngine } from '../src/connection/engine-io.ts'
import { writeFailure } from '../src/connection/polling-body.ts'
import { disconnectAll, parser } from '../src/connection/socket-io.ts'
import { userRoom } from '../src/connection/socket-types.ts'
import { RefusalLog } from '../src/sockets/refusal-log.ts'
import type { SocketBounds } from '../src/sockets/context.ts'
import type { ChatServer, ChatSocket } from '../src/connection/socket-types.ts'
import { PendingRequests } from '../src/sockets/pending-requests.ts'
import { toTidelogError } from '../src/to-tidelog-error.ts'

declare module 'fastify' {
  interface FastifyInstance {
    io: ChatServer
    /** Socket requests without a reply yet. */
    pendingRequests: PendingRequests
    /** Handshakes and namespaces that were refused. */
    refusedSockets: RefusalLog
    /** Limits of each user and each connection. */
    socketBounds: SocketBounds
  }
}

/**
 * Milliseconds that a shutdown waits for pending replies, and then for websockets to receive their last packets and
 * close.
 */
const answersPatienceMs = 5_000
const websocketsPatienceMs = 2_000
/** Milliseconds for which a node hears of a user whose socket has not entered its rooms yet. */
const handshakeMs = 10_000

/**
 * Opens Socket.IO on the same port and admits sockets with a valid token. Closing notifies every socket and finishes
 * pending requests, REST calls too. It waits for nothing else.
 */
export default fp(async function socketIo (app, config: Config) {
  const work = new PendingRequests()
  const bounds: SocketBounds = {
    requests: app.limiters.requests, sockets: config.SOCKETS_MAX, packetBytes: config.OUTBOX_BYTES_MAX
  }
  const refusals = new RefusalLog(line => { app.log.info(line, 'sockets refused') })
  app.decorate('pendingRequests', work)
  app.decorate('socketBounds', bounds)
  app.decorate('refusedSockets', refusals)
  await app.register(fastifySocketIO.default, {
    // Compressing small packets costs far more than it saves.
    perMessageDeflate: false,
    parser,
    maxHttpBufferSize: config.OUTBOX_BYTES_MAX,
    // Closes a connection that never joins a namespace.
    connectTimeout: nobodysMs,
    allowRequest: (request: IncomingMessage, decide: (error: string | null, allowed: boolean) => void) => {
      try {
        app.draining.requireOff()
        app.limiters.handshakes.consume(app.addressOf(request))
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
  // Registered after Socket.IO, which puts its listener before all others.
  const connections = new OpenConnections(app.server)

  guardEngine(app.io, app.server, {
    packets: config.RATE_LIMIT_PACKETS,
    connects: config.RATE_LIMIT_CONNECTS,
    packetBytes: bounds.packetBytes,
    waitingBytes: config.WAITING_BYTES_MAX
  })

  app.io.use((socket, next) => {
    if (work.closing) return next(new Error('The server is shutting down'))
    admit(app, socket).then(() => { next() }, (thrown: Error) => {
      const error = toTidelogError(thrown)
      refusals.add('connect', error.code)
      next(Object.assign(new Error(error.message), { data: failureBody(error) }))
    })
  })

  app.addHook('onClose', async () => { refusals.flush() })
}, { name: 'socket-io', dependencies: ['jwt', 'rate-limit', 'addresses', 'nodes', 'drain'] })

/** Checks the token and the limits of a new socket. @throws TidelogError */
async function admit (app: FastifyInstance, socket: ChatSocket): Promise<void> {
  const { io, nodes: { channels }, limiters: { requests }, socketBounds } = app
  try {
    const given = socket.handshake.auth as Record<string, unknown> | undefined
    socket.data.session = await app.verifyToken(given?.['token'])
  } catch (error) {
    if (toTidelogError(error as Error).status === 401) requests.consume(`address:${app.addressOf(socket.request)}`)
    throw error
  }
  const { userId } = socket.data.session.identity
  requests.consume(userId)
  requireSocketRoom(io, userId, socketBounds)
  // What other nodes commit after the handshake reaches the socket.
  channels.wantFor(userRoom(userId), handshakeMs)
  await channels.settled()
}

/** Writes the refusal of a handshake, because Engine.IO cannot send these statuses. */
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

/** Finishes pending requests, notifies every socket, and then closes the connections. */
async function close (io: ChatServer, work: PendingRequests, connections: OpenConnections): Promise<void> {
  work.closing = true
  await work.drain(answersPatienceMs)
  disconnectAll(io)
  const patience = new AbortController()
  const isOver = delay(websocketsPatienceMs, undefined, { signal: patience.signal }).catch(() => {})
  await Promise.race([allWritten(io), isOver])
  closeEngine(io)
  // Not earlier: a polling client may be about to reuse one of these connections.
  connections.endUnused()
  // A sleeping client does not answer the close packet.
  await Promise.race([connections.websocketsClosed(), isOver])
  patience.abort()
  connections.endWebsockets()
  // Ends REST calls that take longer, or whose responses the client does not read.
  setTimeout(() => { connections.endAll() }, answersPatienceMs).unref()
}
