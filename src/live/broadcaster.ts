import type { ServerEventName, ServerPayload } from '../schemas/events.ts'
import type { ChatServer } from '../connection/socket-types.ts'
import { packetOf, socketsIn, writePackets } from '../connection/socket-io.ts'

/** The sockets that get an event: those in some Socket.IO rooms, except those in others. */
export interface Audience {
  to: readonly string[]
  except?: readonly string[]
}

interface Bundle extends Audience {
  packets: string[]
  /** Total length of the packets, in characters. */
  length: number
}

/**
 * A bundle longer than this, in characters, is sent and the next one begins. Between bundles the buffer checks whether
 * a client is behind.
 */
const bundleMax = 64 << 10

/**
 * Sends events to sockets of this process. The events of one commit to one audience are encoded once and written to
 * each socket in one piece, so a hot room costs one write per socket and commit, not per socket and message. The order
 * within a conversation is kept.
 */
export class Broadcaster {
  private readonly io: ChatServer
  private readonly bundles = new Map<string, Bundle>()
  /** Events that were written so far, once for each socket. */
  deliveries = 0

  constructor (io: ChatServer) {
    this.io = io
  }

  /** Sends an event with the next `flush`. @param conversationId the conversation whose order the event keeps */
  emit<E extends ServerEventName> (
    conversationId: string, { to, except = [] }: Audience, name: E, payload: ServerPayload<E>
  ): void {
    const packet = packetOf(name, payload)
    const bundle = this.bundles.get(conversationId)
    if (bundle !== undefined && bundle.length + packet.length <= bundleMax && isFor(bundle, to, except)) {
      bundle.packets.push(packet)
      bundle.length += packet.length
    } else {
      if (bundle !== undefined) this.send(bundle)
      this.bundles.set(conversationId, { to, except, packets: [packet], length: packet.length })
    }
  }

  /** Sends all waiting events. Call this before the audience changes, so that the change does not affect them. */
  flush (): void {
    if (this.bundles.size === 0) return
    const bundles = [...this.bundles.values()]
    this.bundles.clear()
    for (const bundle of bundles) this.send(bundle)
  }

  private send ({ to, except, packets }: Bundle): void {
    const sockets = socketsIn(this.io, to, except)
    this.deliveries += sockets.length * packets.length
    writePackets(sockets, packets)
  }
}

function isFor (bundle: Bundle, to: readonly string[], except: readonly string[]): boolean {
  return isSame(bundle.to, to) && isSame(bundle.except ?? [], except)
}

function isSame (a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index])
}
