import type { ServerEventName, ServerPayload } from '../schemas/events.ts'
import type { ChatServer, ChatSocket } from './types.ts'

/** Who gets an event: the sockets of some Socket.IO rooms, but for those of others. */
export interface Audience {
  to: readonly string[]
  except?: readonly string[]
}

interface Bundle extends Audience {
  /** Packets of Socket.IO's protocol. */
  packets: string[]
  /** Their length, in characters. */
  length: number
}

/** Length of a piece above which the next one begins: a client that is behind is looked at between pieces. */
const bundleMax = 64 << 10

/** What separates packets in one payload of Engine.IO's protocol, and marks the next as a message. */
const nextPacket = '\x1e4'

/**
 * Sends events to sockets of this process. Those of one commit to one audience are encoded once and written to each socket
 * as one piece: a hot room costs a write for each socket and commit, not for each socket and message. Within a
 * conversation the order is kept.
 */
export class Broadcaster {
  private readonly io: ChatServer
  private readonly bundles = new Map<string, Bundle>()

  constructor (io: ChatServer) {
    this.io = io
  }

  /** Goes out with the next `flush`. @param conversationId in whose order the event stands */
  emit<E extends ServerEventName> (conversationId: string, { to, except = [] }: Audience, name: E, payload: ServerPayload<E>): void {
    const packet = `2${JSON.stringify([name, payload])}`
    const bundle = this.bundles.get(conversationId)
    if (bundle !== undefined && bundle.length + packet.length <= bundleMax && isSame(bundle.to, to) && isSame(bundle.except ?? [], except)) {
      bundle.packets.push(packet)
      bundle.length += packet.length
    } else {
      if (bundle !== undefined) this.send(bundle)
      this.bundles.set(conversationId, { to, except, packets: [packet], length: packet.length })
    }
  }

  /** Sends what a change of who is in the audience must not affect any more. */
  flush (): void {
    if (this.bundles.size === 0) return
    const bundles = [...this.bundles.values()]
    this.bundles.clear()
    for (const bundle of bundles) this.send(bundle)
  }

  private send (bundle: Bundle): void {
    const sockets = this.socketsOf(bundle)
    if (sockets.length === 0) return
    const text = bundle.packets.join(nextPacket)
    const options = { preEncoded: true as const, wsPreEncodedFrame: [frames(bundle.packets)] }
    for (const socket of sockets) (socket.client as unknown as Client).writeToEngine([text], options)
  }

  private socketsOf ({ to, except = [] }: Audience): ChatSocket[] {
    const { adapter: { rooms }, sockets } = this.io.of('/')
    const ids = new Set(to.flatMap(room => [...rooms.get(room) ?? []]))
    for (const room of except) for (const id of rooms.get(room) ?? []) ids.delete(id)
    return [...ids].flatMap(id => sockets.get(id) ?? [])
  }
}

/** What Socket.IO's own adapter calls to send what it has encoded once for many. */
interface Client {
  writeToEngine: (packets: string[], options: { preEncoded: true, wsPreEncodedFrame: Buffer[] }) => void
}

function isSame (a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index])
}

/** Packets as websocket text frames, one behind the other. A polling client gets them as text, with separators. */
function frames (packets: readonly string[]): Buffer {
  const lengths = packets.map(packet => Buffer.byteLength(packet) + 1)
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + length + headLength(length), 0))
  let at = 0
  packets.forEach((packet, index) => {
    const length = lengths[index]!
    bytes[at] = 0x81 // A whole text.
    if (length < 126) bytes[at + 1] = length
    else if (length < 65_536) {
      bytes[at + 1] = 126
      bytes.writeUInt16BE(length, at + 2)
    } else {
      bytes[at + 1] = 127
      bytes.writeBigUInt64BE(BigInt(length), at + 2)
    }
    at += headLength(length)
    bytes[at] = 0x34 // Engine.IO's mark of a message: 4.
    bytes.write(packet, at + 1)
    at += length
  })
  return bytes
}

function headLength (length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}
