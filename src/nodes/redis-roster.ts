import type { RedisClient } from './redis-client.ts'
import type { Roster, RosterEntry } from './roster.ts'
import { within } from './within.ts'

/** Milliseconds after which a node that does not renew its lease counts as ended. */
const leaseMs = 10_000
/** Seconds after which Redis forgets a user whose node has not entered them again. */
const userSeconds = 10_800
/** Milliseconds that a reader waits. */
const answerMsMax = 500
/** Users that are entered at once. */
const usersInRequest = 500

/** A roster in Redis: a hash for each user, with a field for each node; and a key with a lifetime for each node. */
export class RedisRoster implements Roster {
  private readonly client: () => RedisClient | undefined
  private readonly prefix: string
  private readonly nodeId: string

  /** @param client undefined while the link is down */
  constructor (client: () => RedisClient | undefined, prefix: string, nodeId: string) {
    this.client = client
    this.prefix = prefix
    this.nodeId = nodeId
  }

  /** Renews this node's lease. */
  async renew (client: RedisClient): Promise<void> {
    await client.set(this.nodeKey(this.nodeId), '1', { expiration: { type: 'PX', value: leaseMs } })
  }

  async enter (users: ReadonlyArray<readonly [userId: string, lastActiveAt: number]>): Promise<void> {
    for (let start = 0; start < users.length; start += usersInRequest) {
      const client = this.client()
      if (client === undefined) return
      const commands = users.slice(start, start + usersInRequest).flatMap(([userId, at]) => [
        client.hSet(this.userKey(userId), this.nodeId, String(at)), client.expire(this.userKey(userId), userSeconds)
      ])
      // If the link is lost, its next opening enters everybody again.
      await Promise.allSettled(commands)
    }
  }

  leave (userId: string): void {
    this.client()?.hDel(this.userKey(userId), this.nodeId).catch(() => {
      // The field ends with the lease of this node, or is left out when it enters its users again.
    })
  }

  async nodesOf (userIds: readonly string[]): Promise<Map<string, RosterEntry[]>> {
    const client = this.client()
    if (client === undefined || userIds.length === 0) return new Map()
    try {
      const reads = userIds.map(async userId => await client.hGetAll(this.userKey(userId)))
      const hashes = await within(answerMsMax, Promise.all(reads))
      const ended = new Set(await this.endedOf([...new Set(hashes.flatMap(hash => Object.keys(hash)))]))
      return new Map(userIds.flatMap((userId, index) => {
        const entries = Object.entries(hashes[index]!).filter(([nodeId]) => !ended.has(nodeId))
        if (entries.length === 0) return []
        return [[userId, entries.map(([nodeId, at]) => ({ nodeId, lastActiveAt: Number(at) }))] as const]
      }))
    } catch {
      return new Map()
    }
  }

  async endedOf (nodeIds: readonly string[]): Promise<string[]> {
    const client = this.client()
    if (client === undefined || nodeIds.length === 0) return []
    try {
      const leases = await within(answerMsMax, client.mGet(nodeIds.map(nodeId => this.nodeKey(nodeId))))
      return nodeIds.filter((_nodeId, index) => leases[index] === null)
    } catch {
      return []
    }
  }

  private userKey (userId: string): string {
    return `${this.prefix}online:${userId}`
  }

  private nodeKey (nodeId: string): string {
    return `${this.prefix}node:${nodeId}`
  }
}
