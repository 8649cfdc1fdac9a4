import { EventEmitter } from 'node:events'
import { Adapter } from 'socket.io-adapter'
import type { ChatServer, ChatSocket } from '../../src/connection/socket-types.ts'
import { InboundQueue } from '../../src/connection/inbound-queue.ts'
import { setInboundQueue } from '../../src/connection/engine-io.ts'
import type { Identity } from '../../src/users/identity.ts'

/** Takes an event from a node to one of its sockets. */
export type Wire = (socket: FakeSocket, event: string, payload: unknown) => void

/** The part of Socket.IO that delivery uses, over the rooms of its own in-memory adapter. */
export class FakeIo {
  readonly sockets = new Map<string, FakeSocket>()
  readonly adapter: Adapter
  private readonly wire: Wire
  private count = 0

  constructor (wire: Wire) {
    this.wire = wire
    this.adapter = new Adapter({ server: { encoder: {} }, sockets: this.sockets })
  }

  get server (): ChatServer {
    return this as unknown as ChatServer
  }

  of (): { adapter: Adapter, sockets: Map<string, FakeSocket> } {
    return this
  }

  connect (identity: Identity, client: number): FakeSocket {
    const socket = new FakeSocket(this, `s${this.count++}`, identity, client, (event, payload) => { this.wire(socket, event, payload) })
    this.sockets.set(socket.id, socket)
    void socket.join([socket.id, `user_${identity.userId}`, `direct_${identity.userId}`])
    return socket
  }

  disconnect (socket: FakeSocket): void {
    socket.connected = false
    this.sockets.delete(socket.id)
    this.adapter.delAll(socket.id)
  }
}

/** This model does not limit what clients send. */
const boundless = { packets: 0, connects: 0, packetBytes: Infinity, waitingBytes: 0 }

export class FakeSocket {
  readonly id: string
  readonly conn = Object.assign(new EventEmitter(), { writeBuffer: [], transport: {} })
  readonly client: { conn: EventEmitter, writeToEngine: (pieces: string[]) => void }
  readonly data: { session: { identity: Identity } }
  readonly emit: (event: string, payload: unknown) => void
  /** The number of the socket's client. */
  readonly of: number
  connected = true
  private readonly io: FakeIo

  constructor (io: FakeIo, id: string, identity: Identity, of: number, emit: (event: string, payload: unknown) => void) {
    this.io = io
    this.id = id
    this.of = of
    this.emit = emit
    this.data = { session: { identity } }
    setInboundQueue(this.conn, new InboundQueue(boundless))
    this.client = { conn: this.conn, writeToEngine: pieces => { this.write(pieces) } }
  }

  get nsp (): { server: ChatServer } {
    return { server: this.io.server }
  }

  get real (): ChatSocket {
    return this as unknown as ChatSocket
  }

  get rooms (): ReadonlySet<string> {
    return this.io.adapter.sids.get(this.id) ?? new Set()
  }

  /** Writes packets that were encoded once for many sockets, in one piece. */
  private write (pieces: string[]): void {
    for (const packet of pieces.join('').split('\x1e4')) {
      const [event, payload] = JSON.parse(packet.slice(1)) as [string, unknown]
      this.emit(event, payload)
    }
    this.client.conn.emit('drain')
  }

  join (rooms: string | string[]): void {
    void this.io.adapter.addAll(this.id, new Set([rooms].flat()))
  }

  leave (room: string): void {
    void this.io.adapter.del(this.id, room)
  }
}
