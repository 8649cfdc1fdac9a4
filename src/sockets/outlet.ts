import type { ChatSocket } from '../live/socket-types.ts'

/** Packets, and their length, that wait for a client to take them before live events to it are dropped. */
export const waitingMax = { packets: 1_000, bytes: 1 << 20 }
/** Length of what waits, answers included, above which nothing more is read from the client. */
const answersBytesMax = 4 << 20

/** What is used of Socket.IO's and Engine.IO's connections: their own types do not say. */
interface Client {
  conn: Connection
  writeToEngine: (packets: Packet | readonly Packet[], options: { preEncoded?: boolean }) => void
}

type Packet = string | Buffer

interface Connection extends NodeJS.EventEmitter {
  writeBuffer: unknown[]
  transport: { socket?: { pause?: () => void, resume?: () => void } }
}

const outlets = new WeakMap<object, Outlet>()

/**
 * What one connection is sent. Events that go to many (Socket.IO encodes them once) are dropped while the client is
 * behind; when it has caught up it is told to sync. Answers are never dropped, but a client that takes none is not
 * listened to. So what waits for one client is bounded.
 */
export class Outlet {
  private readonly conn: Connection
  private readonly resync: () => void
  private waitingBytes = 0
  private behind = false
  private paused = false
  private readonly whenTaken: Array<() => void> = []

  static of (socket: ChatSocket): Outlet {
    const client = socket.client as unknown as Client
    const outlet = outlets.get(client) ?? new Outlet(client, () => { socket.emit('resync', {}) })
    outlets.set(client, outlet)
    return outlet
  }

  private constructor (client: Client, resync: () => void) {
    this.conn = client.conn
    this.resync = resync
    const write = client.writeToEngine.bind(client)
    client.writeToEngine = (packets, options) => {
      if (options.preEncoded === true && this.isFull()) {
        this.behind = true
        return
      }
      this.waitingBytes += lengthOf(packets)
      write(packets, options)
      if (this.waitingBytes > answersBytesMax) this.pause()
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
    return this.waitingBytes <= answersBytesMax ? undefined : new Promise(resolve => { this.whenTaken.push(resolve) })
  }

  private pause (): void {
    if (this.paused) return
    this.paused = true
    this.conn.transport.socket?.pause?.()
  }

  private taken (): void {
    this.waitingBytes = 0
    if (this.paused) {
      this.paused = false
      this.conn.transport.socket?.resume?.()
    }
    for (const resolve of this.whenTaken.splice(0)) resolve()
    if (!this.behind) return
    this.behind = false
    this.resync()
  }
}

function lengthOf (packets: Packet | readonly Packet[]): number {
  return typeof packets === 'string' || Buffer.isBuffer(packets) ? packets.length : packets.reduce((sum, packet) => sum + packet.length, 0)
}
