/** Accepts connections and turns their bytes into commands. Whatever a client sends can end its own connection only. */
import { createServer } from 'node:net'
import type { ListenOptions, Server as NetServer, Socket } from 'node:net'
import { dispatch, errorReply } from './dispatch.ts'
import type { Engine } from './engine.ts'
import { MongoError } from './errors.ts'
import { asMongoError } from './to-mongo-error.ts'
import { MessageReader, readRequest, requestIdOf, writeReply } from './wire.ts'
import type { Request } from './wire.ts'

export class Server {
  readonly #engine: Engine
  readonly #server: NetServer
  readonly #sockets = new Set<Socket>()
  readonly #running = new Set<Promise<void>>()
  #nextConnection = 1
  #closing = false

  constructor (engine: Engine) {
    this.#engine = engine
    this.#server = createServer({ noDelay: true }, socket => { this.#accept(socket) })
  }

  async listen (options: ListenOptions): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(options, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  get port (): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Takes no new commands, lets the running ones answer, then ends all connections. */
  async close (): Promise<void> {
    this.#closing = true
    const closed = new Promise<void>(resolve => { this.#server.close(() => { resolve() }) })
    // Writes that wait for an open transaction would wait for a client that is not heard any more.
    this.#engine.sessions.endAll()
    await Promise.all(this.#running)
    for (const socket of this.#sockets) socket.destroySoon()
    await closed
  }

  #accept (socket: Socket): void {
    const connection = new Connection(this.#engine, socket, this.#nextConnection++)
    this.#sockets.add(socket)
    this.#engine.connections++
    socket.on('data', chunk => {
      if (this.#closing) return
      const running = connection.receive(chunk as Buffer)
      if (running === undefined || this.#running.has(running)) return
      this.#running.add(running)
      void running.finally(() => this.#running.delete(running))
    })
    socket.on('error', () => { socket.destroy() })
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.#engine.connections--
      this.#engine.sessions.disconnected(connection.id, Date.now())
    })
  }
}

/** A driver sends one message and waits; whoever sends more is read from no further for a while. */
const WAITING_MAX = 64

class Connection {
  readonly #engine: Engine
  readonly #socket: Socket
  readonly id: number
  readonly #reader = new MessageReader()
  readonly #waiting: Buffer[] = []
  #working: Promise<void> | undefined
  /** Set while the client does not read its replies. */
  #drained: Promise<void> | undefined

  constructor (engine: Engine, socket: Socket, id: number) {
    this.#engine = engine
    this.#socket = socket
    this.id = id
  }

  /** The returned promise never rejects; it settles when all that has come in is answered. */
  receive (chunk: Buffer): Promise<void> | undefined {
    try {
      this.#waiting.push(...this.#reader.push(chunk))
    } catch {
      this.#socket.destroy()
      return undefined
    }
    if (this.#waiting.length > WAITING_MAX) this.#socket.pause()
    if (this.#waiting.length > 0) this.#working ??= this.#work()
    return this.#working
  }

  /** A connection's commands run one after the other. */
  async #work (): Promise<void> {
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      await this.#answer(message)
      await this.#drained
    }
    if (this.#socket.isPaused()) this.#socket.resume()
    this.#working = undefined
  }

  async #answer (message: Buffer): Promise<void> {
    let request: Request
    try {
      request = readRequest(message)
    } catch (error) {
      if (error instanceof MongoError) this.#send(writeReply(requestIdOf(message), false, errorReply(error)))
      else this.#socket.destroy()
      return
    }
    const reply = await dispatch(this.#engine, request, this.id)
    if (!request.wantsReply) return
    try {
      this.#send(writeReply(request.requestId, request.legacy, reply))
    } catch (error) {
      this.#send(writeReply(request.requestId, request.legacy, errorReply(asMongoError(error))))
    }
  }

  #send (parts: Buffer[]): void {
    if (this.#socket.destroyed) return
    this.#socket.cork()
    let room = true
    for (const part of parts) room = this.#socket.write(part)
    this.#socket.uncork()
    if (!room) this.#drained ??= this.#untilDrained()
  }

  /** Waits until the client has read, or has gone. */
  async #untilDrained (): Promise<void> {
    await new Promise<void>(resolve => {
      const done = () => {
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
    })
    this.#drained = undefined
  }
}
