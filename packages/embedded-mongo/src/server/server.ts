/** Accepts connections and turns their bytes into commands. What a client sends can end only its own connection. */
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

  /** Accepts no new commands, waits for the running ones, then ends all connections. */
  async close (): Promise<void> {
    const closed = new Promise<void>(resolve => { this.#server.close(() => { resolve() }) })
    const ended = [...this.#connections].map(connection => connection.end())
    // Writes that wait for an open transaction would wait for a client whose commands are no longer read.
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
      void this.#afterClose(connection)
    })
  }

  /** Commands that a client sent before it left still run, and the engine must not close before they end. */
  async #afterClose (connection: Connection): Promise<void> {
    this.#engine.sessions.disconnected(connection.id, Date.now())
    await connection.answered
    // Those commands may have begun a transaction.
    this.#engine.sessions.disconnected(connection.id, Date.now())
    this.#connections.delete(connection)
  }
}

/** Milliseconds after which a closing server gives up on a client that does not read its replies. */
const UNREAD_MS = 2_000

/** A driver sends one message and waits. Above this many unanswered messages, the server stops reading for a while. */
const WAITING_MAX = 64

class Connection {
  readonly #engine: Engine
  readonly #socket: Socket
  readonly id: number
  readonly #reader = new MessageReader()
  #waiting = 0
  #ending = false
  /** Resolves when every message received so far is answered; never rejects. */
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
      // Bytes that are not a message end the connection. A failure to decode the body or encode the reply is answered.
      if (request === undefined && !(error instanceof MongoError)) this.#socket.destroy()
      reply = writeReply(requestIdOf(message), request?.legacy ?? false, errorReply(asMongoError(error)))
    }
    if (request?.wantsReply !== false) await this.#send(reply)
    if (--this.#waiting === 0 && this.#socket.isPaused()) this.#socket.resume()
  }

  /** If the client does not read, waits until it does or disconnects. */
  async #send (reply: Buffer): Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(reply)) return
    const waiting = new AbortController()
    const events = ['drain', 'close'].map(event => once(this.#socket, event, { signal: waiting.signal }))
    await Promise.race(events).catch(() => {})
    waiting.abort()
  }
}
