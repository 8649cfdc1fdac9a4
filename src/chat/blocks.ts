import { LRUCache } from 'lru-cache'
import type { Collection } from 'mongodb'
import { BatchedReader } from '../log/batched.ts'
import type { BlockRow } from './collections.ts'
import { objectId } from './conversation-id.ts'

/** Milliseconds for which a user's blocks are believed, where another node changes them. */
const believedMs = 10_000

/** Whom each user has blocked: cached by user, and read together. Whoever changes a block calls `forget`. */
export class BlockDirectory {
  private readonly cache = new LRUCache<string, ReadonlySet<string>>({ max: 50_000, ttl: believedMs })
  private readonly reader: BatchedReader<string, Set<string>>
  /** Counts `forget`: what was read before one may be older than the change. */
  private changes = 0

  constructor (blocks: Collection<BlockRow>) {
    this.reader = new BatchedReader(async userIds => {
      const found = new Map(userIds.map(userId => [userId, new Set<string>()]))
      for await (const row of blocks.find({ userId: { $in: userIds.map(objectId) } })) {
        found.get(row.userId.toHexString())?.add(row.blockedId.toHexString())
      }
      return found
    })
  }

  /** Whom this user has blocked, without waiting; undefined where that is not known now. */
  peek (userId: string): ReadonlySet<string> | undefined {
    return this.cache.get(userId)
  }

  async of (userId: string): Promise<ReadonlySet<string>> {
    const cached = this.cache.get(userId)
    if (cached !== undefined) return cached
    const changes = this.changes
    const blocked = await this.reader.get(userId) ?? new Set<string>()
    if (changes === this.changes) this.cache.set(userId, blocked)
    return blocked
  }

  /** The next `of` reads the database again. */
  forget (userId: string): void {
    this.changes++
    this.cache.delete(userId)
  }
}
