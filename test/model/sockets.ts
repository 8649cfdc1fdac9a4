import { EventEmitter } from 'node:events'
import { Adapter } from 'socket.io-adapter'
import type { Identity } from '../../src/auth/identity.ts'
import type { ChatServer, ChatSocket } from '../../src/sockets/types.ts'

/** Takes an event that a node sends to one of its sockets. */
export type Wire = (socket: FakeSocket, event: string, payload: unknown) => void

/** As much of Socket.IO as delivery uses, over the rooms of its own adapter in memory. */
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

  readonly local = { to: (rooms: string | string[]) => this.emitter([rooms].flat(), []) }

  connect (identity: Identity, client: number): FakeSocket {
    const socket = new FakeSocket(this, `s${this.count++}`, identity, client, (event, payload) => { this.wire(socket, event, payload) })
    this.sockets.set(socket.id, socket)
    void socket.join([socket.id, `user_${identity.userId}`])
    return socket
  }

  disconnect (socket: FakeSocket): void {
    socket.connected = false
    this.sockets.delete(socket.id)
    this.adapter.delAll(socket.id)
  }

  private emitter (to: string[], except: string[]): { except: (rooms: string | string[]) => unknown, emit: (event: string, payload: unknown) => void } {
    return {
      except: rooms => this.emitter(to, [...except, ...[rooms].flat()]),
      emit: (event, payload) => {
        const not = new Set(except.flatMap(room => [...this.adapter.rooms.get(room) ?? []]))
        const ids = new Set(to.flatMap(room => [...this.adapter.rooms.get(room) ?? []]))
        for (const id of ids) if (!not.has(id)) this.sockets.get(id)?.emit(event, payload)
      }
    }
  }
}

export class FakeSocket {
  readonly id: string
  readonly client: { conn: EventEmitter, writeToEngine: () => void }
  readonly data: { session: { identity: Identity } }
  readonly emit: (event: string, payload: unknown) => void
  /** Which client it is of. */
  readonly of: number
  connected = true
  private readonly io: FakeIo

  constructor (io: FakeIo, id: string, identity: Identity, of: number, emit: (event: string, payload: unknown) => void) {
    this.io = io
    this.id = id
    this.of = of
    this.emit = emit
    this.data = { session: { identity } }
    this.client = { conn: Object.assign(new EventEmitter(), { writeBuffer: [], transport: {} }), writeToEngine: () => {} }
  }

  get real (): ChatSocket {
    return this as unknown as ChatSocket
  }

  join (rooms: string | string[]): void {
    void this.io.adapter.addAll(this.id, new Set([rooms].flat()))
  }

  leave (room: string): void {
    void this.io.adapter.del(this.id, room)
  }
}
