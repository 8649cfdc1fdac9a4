import { presenceChannel } from '../nodes/channels.ts'
import type { PresenceWord } from '../nodes/roster.ts'
import type { ChatNodes } from '../live/relay.ts'

/** Milliseconds between two looks for nodes that have ended. */
const lookEveryMs = 3_000
/** Milliseconds after which this node enters its users again. */
const enterEveryMs = 3_600_000
/** Users whose nodes are read at once. */
const usersInRead = 200

export interface ElsewhereOptions {
  nodes: ChatNodes
  /** The users of this node. */
  present: () => Array<readonly [userId: string, lastActiveAt: number]>
  /** A watched user has come to, or left, the other nodes. */
  onChange: (userId: string) => void
}

/** Which other nodes have the users who are watched here. */
export class Elsewhere {
  private readonly options: ElsewhereOptions
  /** Ends the hearing of each watched user. */
  private readonly watched = new Map<string, () => void>()
  /** Watched users whose nodes were not read yet: nobody was told anything of them. */
  private readonly unread = new Set<string>()
  /** By watched user: when they came to each of the nodes that have them. */
  private readonly users = new Map<string, Map<string, number>>()
  /** For each running read, the users of whom a word came meanwhile. */
  private readonly heard = new Set<Set<string>>()
  private readonly timers: NodeJS.Timeout[]

  constructor (options: ElsewhereOptions) {
    this.options = options
    const { nodes, present } = options
    nodes.on('presence', word => { this.hear(word) })
    const enter = () => { void nodes.roster?.enter(present()) }
    nodes.onUp(() => {
      enter()
      void this.read([...this.watched.keys()])
    })
    this.timers = [
      setInterval(() => { void this.dropEnded() }, lookEveryMs).unref(),
      setInterval(enter, enterEveryMs).unref()
    ]
  }

  /** When a watched user came to the other nodes; undefined if none has them. */
  lastActiveAt (userId: string): number | undefined {
    const times = this.users.get(userId)
    return times === undefined ? undefined : Math.max(...times.values())
  }

  has (userId: string): boolean {
    return this.users.has(userId)
  }

  /** Tells the other nodes that a user has come to this node, or has left it. */
  tell (userId: string, on: boolean, lastActiveAt: number): void {
    const { nodes } = this.options
    if (on) void nodes.roster?.enter([[userId, lastActiveAt]])
    else nodes.roster?.leave(userId)
    nodes.send('presence', [presenceChannel(userId)], { userId, nodeId: nodes.id, on, lastActiveAt })
  }

  watch (userId: string): void {
    if (this.watched.has(userId)) return
    this.watched.set(userId, this.options.nodes.channels.want(presenceChannel(userId)))
    this.unread.add(userId)
  }

  unwatch (userId: string): void {
    this.watched.get(userId)?.()
    this.watched.delete(userId)
    this.unread.delete(userId)
    this.users.delete(userId)
  }

  /** Reads the nodes of watched users. What other nodes say during the read is newer. */
  async read (userIds: readonly string[]): Promise<void> {
    const { nodes } = this.options
    await nodes.channels.settled()
    for (let start = 0; start < userIds.length; start += usersInRead) {
      const some = userIds.slice(start, start + usersInRead)
      const heard = new Set<string>()
      this.heard.add(heard)
      const entries = await nodes.roster?.nodesOf(some)
      this.heard.delete(heard)
      for (const userId of some) {
        if (heard.has(userId) || !this.watched.has(userId)) continue
        const others = entries?.get(userId)?.filter(({ nodeId }) => nodeId !== nodes.id) ?? []
        this.set(userId, new Map(others.map(({ nodeId, lastActiveAt }) => [nodeId, lastActiveAt])))
        this.unread.delete(userId)
      }
    }
  }

  close (): void {
    for (const timer of this.timers) clearInterval(timer)
  }

  private hear ({ userId, nodeId, on, lastActiveAt }: PresenceWord): void {
    if (!this.watched.has(userId)) return
    for (const heard of this.heard) heard.add(userId)
    const times = new Map(this.users.get(userId))
    if (on) times.set(nodeId, lastActiveAt)
    else times.delete(nodeId)
    this.set(userId, times)
  }

  private async dropEnded (): Promise<void> {
    const nodeIds = new Set([...this.users.values()].flatMap(times => [...times.keys()]))
    const ended = await this.options.nodes.roster?.endedOf([...nodeIds]) ?? []
    if (ended.length === 0) return
    for (const [userId, times] of [...this.users]) {
      this.set(userId, new Map([...times].filter(([nodeId]) => !ended.includes(nodeId))))
    }
  }

  private set (userId: string, times: Map<string, number>): void {
    const wasThere = this.users.has(userId)
    const isThere = times.size > 0
    if (!isThere) this.users.delete(userId)
    else this.users.set(userId, times)
    if (wasThere !== isThere && !this.unread.has(userId)) this.options.onChange(userId)
  }
}
