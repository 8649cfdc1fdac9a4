import { ClusterAdapter } from 'socket.io-adapter'

type Message = Parameters<ClusterAdapter['onMessage']>[0]

export interface Bus {
  adapter: typeof ClusterAdapter
  /** How often a message arrives. 0: it is lost. */
  times: (message: Message) => number
  /** Does this message wait until `release`? */
  holds: (message: Message) => boolean
  /** Delivers the held messages, the last one first. */
  release: () => void
}

/**
 * Joins the Socket.IO servers of one process, as a Redis adapter joins those of several. Tests can lose, repeat and
 * delay its messages.
 */
export function makeBus (): Bus {
  const nodes = new Set<BusAdapter>()
  const held: Array<() => void> = []
  const bus: Bus = {
    adapter: undefined as unknown as typeof ClusterAdapter,
    times: () => 1,
    holds: () => false,
    release: () => { for (const carry of held.splice(0).reverse()) carry() }
  }

  class BusAdapter extends ClusterAdapter {
    constructor (namespace: unknown) {
      super(namespace)
      nodes.add(this)
    }

    override close (): void {
      nodes.delete(this)
    }

    protected override async doPublish (message: Message): Promise<string> {
      const others = [...nodes].filter(node => node !== this)
      for (let times = bus.times(message); times > 0; times--) {
        const carry = () => { for (const node of others) setImmediate(() => { node.onMessage(structuredClone(message)) }) }
        if (bus.holds(message)) held.push(carry)
        else carry()
      }
      return ''
    }

    protected override async doPublishResponse (): Promise<void> {}
  }
  bus.adapter = BusAdapter as unknown as typeof ClusterAdapter
  return bus
}
