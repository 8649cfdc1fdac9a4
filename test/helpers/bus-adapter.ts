import { ClusterAdapter } from 'socket.io-adapter'

type Message = Parameters<ClusterAdapter['onMessage']>[0]

/** Joins the Socket.IO servers of one process, as a Redis adapter joins those of several. Loses what `loses` says. */
export function makeBus (): { adapter: typeof ClusterAdapter, loses: (message: Message) => boolean } {
  const nodes = new Set<BusAdapter>()
  const bus = { adapter: undefined as unknown as typeof ClusterAdapter, loses: (_message: Message) => false }

  class BusAdapter extends ClusterAdapter {
    constructor (namespace: unknown) {
      super(namespace)
      nodes.add(this)
    }

    override close (): void {
      nodes.delete(this)
    }

    protected override async doPublish (message: Message): Promise<string> {
      if (!bus.loses(message)) for (const node of nodes) if (node !== this) setImmediate(() => { node.onMessage(structuredClone(message)) })
      return ''
    }

    protected override async doPublishResponse (): Promise<void> {}
  }
  bus.adapter = BusAdapter as unknown as typeof ClusterAdapter
  return bus
}
