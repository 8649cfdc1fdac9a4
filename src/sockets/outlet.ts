import { type Client, type Connection, clientOf, inletOf } from './engine-io.ts'
import type { Inlet, RawPacket } from './inlet.ts'
import type { ChatSocket } from '../live/socket-types.ts'

/** Packets, and their length, that wait for a client to take them before live events to it are dropped. */
export const waitingMax = { packets: 1_000, bytes: 1 << 20 }

const outlets = new WeakMap<object, Outlet>()

/**
 * What one connection is sent. Events that go to many (Socket.IO encodes them once) are dropped while the client is
 * behind; when it has caught up it is told to sync. Answers are never dropped, but a client that takes none is not
 * listened to above half of what may wait, and is closed above all of it. So what waits for one client is bounded.
 */
export class Outlet {
  private readonly conn: Connection
  private readonly inlet: Inlet
  private readonly waitingBytesMax: number
  private readonly resync: () => void
  private waitingBytes = 0
  private behind = false
  private readonly whenTaken: Array<() => void> = []

  static of (socket: ChatSocket): Outlet {
    const client = clientOf(socket)
    const outlet = outlets.get(client) ?? new Outlet(client, inletOf(socket), () => { socket.emit('resync', {}) })
    outlets.set(client, outlet)
    return outlet
  }

  private constructor (client: Client, inlet: Inlet, resync: () => void) {
    this.conn = client.conn
    this.inlet = inlet
    this.waitingBytesMax = inlet.limits.waitingBytes === 0 ? Infinity : inlet.limits.waitingBytes
    this.resync = resync
    const write = client.writeToEngine.bind(client)
    client.writeToEngine = (packets, options) => {
      if (options.preEncoded === true && this.isFull()) {
        this.behind = true
        return
      }
      this.waitingBytes += lengthOf(packets)
      write(packets, options)
      if (this.waitingBytes > this.waitingBytesMax) this.inlet.flood(0)
      else if (this.waitingBytes > this.waitingBytesMax / 2) this.inlet.hold('out')
    }
    // The connection's buffer is empty: what was in it is with the transport, which takes no more until that has gone.
    this.conn.on('drain', () => { this.taken() })
    this.conn.on('close', () => { this.taken() })
  }

  /** Is the client so far behind that it gets no live events? */
  isFull (): boolean {
    return this.behind || this.conn.writeBuffer.length >= waitingMax.packets || this.waitingBytes >= waitingMax.bytes
  }

  /** Resolves when the client takes its answers, or is gone; undefined: it does. */
  room (): Promise<void> | undefined {
    return this.waitingBytes <= this.waitingBytesMax / 2 ? undefined : new Promise(resolve => { this.whenTaken.push(resolve) })
  }

  private taken (): void {
    this.waitingBytes = 0
    this.inlet.release('out')
    for (const resolve of this.whenTaken.splice(0)) resolve()
    if (!this.behind) return
    this.behind = false
    this.resync()
  }
}

function lengthOf (packets: RawPacket | readonly RawPacket[]): number {
  return typeof packets === 'string' || Buffer.isBuffer(packets) ? packets.length : packets.reduce((sum, packet) => sum + packet.length, 0)
}
