import { type Connection, inboundQueueOf } from './engine-io.ts'
import { type Client, clientOf } from './socket-io.ts'
import type { InboundQueue, RawPacket } from './inbound-queue.ts'
import type { ChatServer, ChatSocket } from './socket-types.ts'

/** If more packets or bytes than this wait for a client, live events to it are dropped. */
export const highWaterMark = { packets: 1_000, bytes: 1 << 20 }

const buffers = new WeakMap<object, OutboundBuffer>()

/** Numbers of live events that were dropped, and of `resync` events. */
interface OutboundCounts { dropped: number, resyncs: number }

const countsByServer = new WeakMap<object, OutboundCounts>()

/** The counts of a server's sockets. */
export function outboundCounts (io: ChatServer): OutboundCounts {
  const counts = countsByServer.get(io) ?? { dropped: 0, resyncs: 0 }
  countsByServer.set(io, counts)
  return counts
}

/**
 * What is sent over one connection. Events for many sockets (Socket.IO encodes them once) are dropped while the client
 * is behind; when it has caught up, a `resync` tells it to sync. Answers are never dropped. But if a client takes no
 * answers, reading from it stops at half of the limit, and at the limit its connection is closed. So the bytes that
 * wait for one client are bounded.
 */
export class OutboundBuffer {
  private readonly conn: Connection
  private readonly inbound: InboundQueue
  private readonly waitingBytesMax: number
  private readonly resync: () => void
  private readonly counts: OutboundCounts
  private waitingBytes = 0
  private isDropping = false
  private readonly onceDrained: Array<() => void> = []

  static of (socket: ChatSocket): OutboundBuffer {
    const client = clientOf(socket)
    const buffer = buffers.get(client) ?? new OutboundBuffer(
      client, inboundQueueOf(socket), () => { socket.emit('resync', {}) }, outboundCounts(socket.nsp.server)
    )
    buffers.set(client, buffer)
    return buffer
  }

  private constructor (client: Client, inbound: InboundQueue, resync: () => void, counts: OutboundCounts) {
    this.conn = client.conn
    this.inbound = inbound
    this.waitingBytesMax = inbound.limits.waitingBytes === 0 ? Infinity : inbound.limits.waitingBytes
    this.resync = resync
    this.counts = counts
    const write = client.writeToEngine.bind(client)
    client.writeToEngine = (packets, options) => {
      if (options.preEncoded === true && this.isFull()) {
        this.isDropping = true
        counts.dropped++
        return
      }
      this.waitingBytes += lengthOf(packets)
      write(packets, options)
      if (this.waitingBytes > this.waitingBytesMax) this.inbound.flood(0)
      else if (this.waitingBytes > this.waitingBytesMax / 2) this.inbound.hold('out')
    }
    // The connection's buffer is empty: its content is with the transport, which takes more only after writing it.
    this.conn.on('drain', () => { this.onDrain() })
    this.conn.on('close', () => { this.onDrain() })
  }

  /** Is the client so far behind that its live events are dropped? */
  isFull (): boolean {
    const isAboveMark =
      this.conn.writeBuffer.length >= highWaterMark.packets || this.waitingBytes >= highWaterMark.bytes
    return this.isDropping || isAboveMark
  }

  /** Resolves when the client takes its answers or is gone. Undefined: it takes them now. */
  whenDrained (): Promise<void> | undefined {
    if (this.waitingBytes <= this.waitingBytesMax / 2) return undefined
    return new Promise(resolve => { this.onceDrained.push(resolve) })
  }

  private onDrain (): void {
    this.waitingBytes = 0
    this.inbound.release('out')
    if (this.onceDrained.length > 0) for (const resolve of this.onceDrained.splice(0)) resolve()
    if (!this.isDropping) return
    this.isDropping = false
    this.counts.resyncs++
    this.resync()
  }
}

function lengthOf (packets: RawPacket | readonly RawPacket[]): number {
  if (typeof packets === 'string' || Buffer.isBuffer(packets)) return packets.length
  return packets.reduce((sum, packet) => sum + packet.length, 0)
}
