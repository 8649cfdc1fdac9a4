import type { ServerEventName, ServerPayload } from '../schemas/events.ts'
import type { ChatServer } from '../connection/socket-types.ts'
import { packetOf, socketsIn, writePackets } from '../connection/socket-io.ts'

/** Who gets an event: the sockets of some Socket.IO rooms, but for those of others. */
export interface Audience {
  to: readonly string[]
  except?: readonly string[]
}

interface Bundle extends Audience {
  packets: string[]
  /** Their length, in characters. */
  length: number
}

/** Length of a bundle above which the next one begins: whether a client is behind is checked between bundles. */
const bundleMax = 64 << 10

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

  /** Sends what a change of who is in the audience must not affect any more. */
  flush (): void {
    if (this.bundles.size === 0) return
    const bundles = [...this.bundles.values()]
    this.bundles.clear()
    for (const bundle of bundles) this.send(bundle)
  }

  private send ({ to, except, packets }: Bundle): void {
    writePackets(socketsIn(this.io, to, except), packets)
  }
}

function isFor (bundle: Bundle, to: readonly string[], except: readonly string[]): boolean {
  return isSame(bundle.to, to) && isSame(bundle.except ?? [], except)
}

function isSame (a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index])
}
