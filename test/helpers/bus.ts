import type { Link, LinkListener } from '../../src/nodes/link.ts'
import type { Roster, RosterEntry } from '../../src/nodes/roster.ts'

/** A link of one node to the bus. */
export interface BusLink extends Link {
  /** The channels that the node hears. */
  readonly channels: ReadonlySet<string>
  /** Loses the link, until `mend`. */
  cut: () => void
  mend: () => void
  /** The node's users are gone for the others, as if it had died. */
  endLease: () => void
}

export interface Bus {
  newLink: () => BusLink
  /** How often a word arrives at a node. 0: it is lost. */
  times: (channel: string) => number
  /** Does this word wait until `release`? */
  holds: (channel: string) => boolean
  /** Delivers the held words, the last one first. */
  release: () => void
}

/** Links the nodes of one process, as a Redis links processes. Tests can lose, repeat and delay its words. */
export function makeBus (): Bus {
  const links = new Set<MemoryLink>()
  const held: Array<() => void> = []
  const roster = new Map<string, Map<string, RosterEntry>>()
  const ended = new Set<string>()
  const bus: Bus = {
    newLink: () => new MemoryLink(),
    times: () => 1,
    holds: () => false,
    release: () => { for (const carry of held.splice(0).reverse()) carry() }
  }

  class MemoryLink implements BusLink {
    readonly channels = new Set<string>()
    private listener: LinkListener | undefined
    private isOpen = false
    private nodeId = ''

    open ({ nodeId }: { nodeId: string }, listener: LinkListener): Roster {
      links.add(this)
      this.listener = listener
      this.nodeId = nodeId
      setImmediate(() => { this.mend() })
      return rosterOf(nodeId)
    }

    endLease (): void {
      ended.add(this.nodeId)
    }

    mend (): void {
      this.isOpen = true
      this.listener?.onOpen()
    }

    cut (): void {
      this.isOpen = false
      this.channels.clear()
      this.listener?.onLost(new Error('cut by the test'))
    }

    publish (channel: string, word: Uint8Array): boolean {
      if (!this.isOpen) return false
      for (let times = bus.times(channel); times > 0; times--) {
        const carry = () => { for (const link of links) link.take(channel, word) }
        if (bus.holds(channel)) held.push(carry)
        else carry()
      }
      return true
    }

    async subscribe (channels: readonly string[]): Promise<void> {
      if (!this.isOpen) throw new Error('The link is down')
      for (const channel of channels) this.channels.add(channel)
    }

    unsubscribe (channels: readonly string[]): void {
      for (const channel of channels) this.channels.delete(channel)
    }

    async close (): Promise<void> {
      links.delete(this)
      this.isOpen = false
    }

    private take (channel: string, word: Uint8Array): void {
      if (this.channels.has(channel)) setImmediate(() => { if (this.isOpen) this.listener?.onWord(word) })
    }
  }
  function rosterOf (nodeId: string): Roster {
    return {
      enter: async users => {
        for (const [userId, lastActiveAt] of users) {
          const entries = roster.get(userId) ?? new Map<string, RosterEntry>()
          roster.set(userId, entries.set(nodeId, { nodeId, lastActiveAt }))
        }
      },
      leave: userId => { roster.get(userId)?.delete(nodeId) },
      nodesOf: async userIds => new Map(userIds.map(userId =>
        [userId, [...roster.get(userId)?.values() ?? []].filter(entry => !ended.has(entry.nodeId))])),
      endedOf: async nodeIds => nodeIds.filter(id => ended.has(id))
    }
  }
  return bus
}
