import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'
import fastifySocketIO from 'fastify-socket.io'
import { type Config, allowedOrigins } from '../src/config.ts'
import { failureBody } from '../src/errors.ts'
import type { ChatServer } from '../src/sockets/types.ts'
import { PendingRequests } from '../src/sockets/pending-requests.ts'
import { toTidelogError } from '../src/to-tidelog-error.ts'

declare module 'fastify' {
  interface FastifyInstance {
    io: ChatServer
    /** What sockets wait to be answered. */
    pendingRequests: PendingRequests
  }
}

/** Milliseconds that a shutdown waits for answers under way, and then for the last packets to be taken. */
const answersPatienceMs = 5_000
const packetsPatienceMs = 1_000

/** Opens Socket.IO on the same port, and lets in whoever has a good token. Closing tells every socket. */
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
    preClose: done => { void close(app.io, work).then(() => { done() }) }
  })

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
async function close (io: ChatServer, work: PendingRequests): Promise<void> {
  work.closing = true
  await work.drain(answersPatienceMs)
  for (const namespace of io._nsps.values()) namespace.local.disconnectSockets(false)
  const engine = io.engine as unknown as { clients: Record<string, Connection>, close: () => void }
  const patience = new AbortController()
  await Promise.race([
    Promise.all(Object.values(engine.clients).map(emptied)).then(() => { patience.abort() }),
    delay(packetsPatienceMs, undefined, { signal: patience.signal }).catch(() => {})
  ])
  engine.close()
}

/** Resolves when the client has taken what was written to it, or is gone. */
async function emptied (connection: Connection): Promise<void> {
  if (connection.writeBuffer.length > 0) await Promise.race([once(connection, 'drain'), once(connection, 'close')])
}
