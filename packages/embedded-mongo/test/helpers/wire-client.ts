/** A client without the driver's own ideas: sends what it is given, reads one reply a message. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { once } from 'node:events'
import { deserialize, serialize } from 'bson'
import type { Document } from 'bson'
import { MessageReader } from '../../src/wire/messages.ts'

export class WireClient {
  readonly socket: Socket
  readonly #reader = new MessageReader()
  readonly #replies: Buffer[] = []
  #arrived: () => void = () => {}
  #nextId = 1

  readonly #database: string

  private constructor (socket: Socket, database: string) {
    this.socket = socket
    this.#database = database
    socket.on('data', chunk => {
      this.#replies.push(...this.#reader.push(chunk as Buffer))
      this.#arrived()
    })
    socket.on('error', () => {})
    socket.on('close', () => { this.#arrived() })
  }

  static async open (uri: string, database = 'test'): Promise<WireClient> {
    const host = uri.slice('mongodb://'.length).split('/')[0]!
    const [name, port] = host.split(':')
    const socket = port === undefined ? connect(decodeURIComponent(host)) : connect(Number(port), name)
    await once(socket, 'connect')
    return new WireClient(socket, database)
  }

  async command (body: Document, database = this.#database): Promise<Document> {
    this.send(message(this.#nextId++, serialize({ ...body, $db: database })))
    const reply = await this.reply()
    if (reply === undefined) throw new Error('the connection was closed')
    return deserialize(reply.subarray(21), { promoteLongs: false })
  }

  send (bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** The next reply's bytes; undefined when the server has closed the connection. */
  async reply (): Promise<Buffer | undefined> {
    while (this.#replies.length === 0) {
      if (this.socket.closed) return undefined
      await new Promise<void>(resolve => { this.#arrived = resolve })
    }
    return this.#replies.shift()
  }

  close (): void {
    this.socket.destroy()
  }
}

export function message (requestId: number, body: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(21)
  head.writeInt32LE(21 + body.length, 0)
  head.writeInt32LE(requestId, 4)
  head.writeInt32LE(2013, 12)
  head.writeUInt32LE(flags, 16)
  return Buffer.concat([head, body])
}
