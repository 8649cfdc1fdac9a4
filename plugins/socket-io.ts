import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'
import fastifySocketIO from 'fastify-socket.io'
import { type Config, allowedOrigins } from '../src/config.ts'
import { OpenConnections } from '../src/open-connections.ts'
import { failureBody } from '../src/errors.ts'
import type { ChatServer } from '../src/live/socket-types.ts'
import { PendingRequests } from '../src/sockets/pending-requests.ts'
import { toTidelogError } from '../src/to-tidelog-error.ts'

declare module 'fastify' {
  interface FastifyInstance {
    io: ChatServer
    /** What sockets wait to be answered. */
    pendingRequests: PendingRequests
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
  app.decorate('pendingRequests', work)
  await app.register(fastifySocketIO.default, {
    // Compressing small packets costs far more than it saves.
    perMessageDeflate: false,
    maxHttpBufferSize: config.REQUEST_BYTES_MAX,
    // A connection that asks for no namespace is nobody's.
    connectTimeout: 10_000,
    cors: { origin: allowedOrigins(config) },
    preClose: done => { void close(app.io, work, connections).then(() => { done() }) }
  })
  // After Socket.IO, which puts itself before all other listeners.
  const connections = new OpenConnections(app.server)

  app.io.use((socket, next) => {
    if (work.closing) return next(new Error('The server is shutting down'))
    app.verifyToken((socket.handshake.auth as Record<string, unknown> | undefined)?.['token']).then(session => {
      socket.data.session = session
      next()
    }, (thrown: Error) => {
      const error = toTidelogError(thrown)
      app.log.info({ socketId: socket.id, address: app.addressOf(socket.request), code: error.code }, 'socket refused')
      next(Object.assign(new Error(error.message), { data: failureBody(error) }))
    })
  })
}, { name: 'socket-io', dependencies: ['jwt', 'addresses'] })

/** What is used of an Engine.IO connection: its own types do not say. */
interface Connection extends NodeJS.EventEmitter {
  writeBuffer: unknown[]
}

/**
 * Answers what is under way, tells every socket of every namespace, and then closes the connections. They are not closed
 * one by one: a polling client between two polls would keep a timer, and the process, for half a minute.
 */
async function close (io: ChatServer, work: PendingRequests, connections: OpenConnections): Promise<void> {
  work.closing = true
  await work.drain(answersPatienceMs)
  for (const namespace of io._nsps.values()) namespace.local.disconnectSockets(false)
  const engine = io.engine as unknown as { clients: Record<string, Connection>, close: () => void }
  const clients = Object.values(engine.clients)
  const patience = new AbortController()
  const isOver = delay(websocketsPatienceMs, undefined, { signal: patience.signal }).catch(() => {})
  await Promise.race([Promise.all(clients.map(emptied)), isOver])
  engine.close()
  // Not before: a polling client may be about to ask on one of them.
  connections.endUnused()
  // A client that is asleep answers no farewell either.
  await Promise.race([connections.websocketsClosed(), isOver])
  patience.abort()
  connections.endWebsockets()
  // A REST call that takes longer than this, or whose answer nobody reads, is not waited for.
  setTimeout(() => { connections.endAll() }, answersPatienceMs).unref()
}

/** Resolves when the client has taken what was written to it, or is gone. */
async function emptied (connection: Connection): Promise<void> {
  if (connection.writeBuffer.length > 0) await Promise.race([once(connection, 'drain'), once(connection, 'close')])
}
