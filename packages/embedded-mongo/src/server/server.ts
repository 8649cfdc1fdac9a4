/** Accepts connections and turns their bytes into commands. Whatever a client sends can end its own connection only. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { ListenOptions, Server as NetServer, Socket } from 'node:net'
import { dispatch, errorReply } from './dispatch.ts'
import type { Engine } from '../engine/engine.ts'
import { MongoError } from '../values/errors.ts'
import { asMongoError } from '../engine/to-mongo-error.ts'
import { MessageReader, readRequest, requestIdOf, writeReply } from '../wire/messages.ts'
import type { Request } from '../wire/messages.ts'

export class Server {
  readonly #engine: Engine
  readonly #server: NetServer
  readonly #connections = new Set<Connection>()
  #nextConnection = 1

  constructor (engine: Engine) {
    this.#engine = engine
    this.#server = createServer({ noDelay: true }, socket => { this.#accept(socket) })
  }

  async listen (options: ListenOptions): Promise<void> {
    this.#server.listen(options)
    await once(this.#server, 'listening')
  }

  get port (): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Takes no new commands, lets the running ones answer, then ends all connections. */
  async close (): Promise<void> {
    const closed = new Promise<void>(resolve => { this.#server.close(() => { resolve() }) })
    const ended = [...this.#connections].map(connection => connection.end())
    // Writes that wait for an open transaction would wait for a client that is not heard any more.
    this.#engine.sessions.endAll()
    await Promise.all(ended)
    await closed
  }

  #accept (socket: Socket): void {
    const connection = new Connection(this.#engine, socket, this.#nextConnection++)
    this.#connections.add(connection)
    this.#engine.connections++
    socket.on('error', () => { socket.destroy() })
    socket.on('close', () => {
      this.#engine.connections--
      void this.#gone(connection)
    })
  }

  /** What a client has sent before it went is done all the same; the engine must not close meanwhile. */
  async #gone (connection: Connection): Promise<void> {
    this.#engine.sessions.disconnected(connection.id, Date.now())
    await connection.answered
    // It may have begun a transaction.
    this.#engine.sessions.disconnected(connection.id, Date.now())
    this.#connections.delete(connection)
  }
}

/** While the server closes, a client that has read nothing of its replies for so long is not waited for. */
const UNREAD_MS = 2_000

/** A driver sends one message and waits; whoever sends more is read from no further for a while. */
const WAITING_MAX = 64

class Connection {
  readonly #engine: Engine
  readonly #socket: Socket
  readonly id: number
  readonly #reader = new MessageReader()
  #waiting = 0
  #ending = false
  /** Settles when all that has come in is answered; never rejects. */
  answered: Promise<void> = Promise.resolve()

  constructor (engine: Engine, socket: Socket, id: number) {
    this.#engine = engine
    this.#socket = socket
    this.id = id
    socket.on('data', chunk => { this.#receive(chunk as Buffer) })
  }

  async end (): Promise<void> {
    this.#ending = true
    this.#socket.setTimeout(UNREAD_MS, () => { if (this.#socket.writableLength > 0) this.#socket.destroy() })
    await this.answered
    this.#socket.destroySoon()
  }

  /** A connection's commands run one after the other. */
  #receive (chunk: Buffer): void {
    if (this.#ending) return
    try {
      for (const message of this.#reader.push(chunk)) {
        this.#waiting++
        this.answered = this.answered.then(() => this.#answer(message))
      }
    } catch {
      this.#socket.destroy()
    }
    if (this.#waiting > WAITING_MAX) this.#socket.pause()
  }

  async #answer (message: Buffer): Promise<void> {
    let request: Request | undefined
    let reply
    try {
      request = readRequest(message)
      reply = writeReply(request.requestId, request.legacy, await dispatch(this.#engine, request, this.id))
    } catch (error) {
      // What is not even a message ends its connection; what cannot be decoded, or the answer to it be encoded, is told.
      if (request === undefined && !(error instanceof MongoError)) this.#socket.destroy()
      reply = writeReply(requestIdOf(message), request?.legacy ?? false, errorReply(asMongoError(error)))
    }
    if (request?.wantsReply !== false) await this.#send(reply)
    if (--this.#waiting === 0 && this.#socket.isPaused()) this.#socket.resume()
  }

  /** Waits, where the client does not read, until it has read or gone. */
  async #send (reply: Buffer): Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(reply)) return
    const over = new AbortController()
    await Promise.race(['drain', 'close'].map(event => once(this.#socket, event, { signal: over.signal }))).catch(() => {})
    over.abort()
  }
}
