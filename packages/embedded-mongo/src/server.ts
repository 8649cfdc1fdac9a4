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
    const closed = new Promise<void>(resolve => { this.#server.close(() => { resolve() }) })
    for (const socket of this.#sockets) socket.pause()
    await Promise.all(this.#running)
    for (const socket of this.#sockets) socket.destroySoon()
    await closed
  }

  #accept (socket: Socket): void {
    const connection = new Connection(this.#engine, socket, this.#nextConnection++)
    this.#sockets.add(socket)
    this.#engine.connections++
    socket.on('data', chunk => {
      const running = connection.receive(chunk as Buffer)
      if (running === undefined || this.#running.has(running)) return
      this.#running.add(running)
      void running.finally(() => this.#running.delete(running))
    })
    socket.on('error', () => { socket.destroy() })
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.#engine.connections--
    })
  }
}

class Connection {
  readonly #engine: Engine
  readonly #socket: Socket
  readonly #id: number
  readonly #reader = new MessageReader()
  readonly #waiting: Buffer[] = []
  #working: Promise<void> | undefined

  constructor (engine: Engine, socket: Socket, id: number) {
    this.#engine = engine
    this.#socket = socket
    this.#id = id
  }

  /** The returned promise never rejects; it settles when all that has come in is answered. */
  receive (chunk: Buffer): Promise<void> | undefined {
    try {
      this.#waiting.push(...this.#reader.push(chunk))
    } catch {
      this.#socket.destroy()
      return undefined
    }
    if (this.#waiting.length > 0) this.#working ??= this.#work()
    return this.#working
  }

  /** A connection's commands run one after the other. */
  async #work (): Promise<void> {
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      await this.#answer(message)
    }
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
    const reply = await dispatch(this.#engine, request, this.#id)
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
    for (const part of parts) this.#socket.write(part)
    this.#socket.uncork()
  }
}
