import { LRUCache } from 'lru-cache'
import { BatchedReader } from '../../lib/batched-reader.ts'
import { indexNames } from '../../log/model/collections.ts'
import type { ConversationLog } from '../../log/conversation-log.ts'
import { type Head, selfLogId, selfLogOwner } from '../../log/model/types.ts'

/** Milliseconds for which a user's blocks are believed without a look at the own log, where another node may change them. */
const believedMs = 10_000

interface Blocks {
  /** The own log's `blockRev` when it was read, or an earlier one. */
  rev: number
  blocked: ReadonlySet<string>
}

const nobody: ReadonlySet<string> = new Set()

/**
 * Those among `others` of whom this user learns nothing that they do, nor they of what this user does: one of the two has
 * blocked the other. Typing, presence and read positions pass neither way.
 * @param userId @param others in hex
 */
export async function apartFrom (blocks: BlockDirectory, userId: string, others: readonly string[]): Promise<Set<string>> {
  const mine = blocks.peek(userId) ?? await blocks.get(userId)
  const found = new Set<string>()
  await Promise.all([...new Set(others)].map(async other => {
    if (mine.has(other) || (blocks.peek(other) ?? await blocks.get(other)).has(userId)) found.add(other)
  }))
  return found
}

/** Whom each user has blocked: rows of their own log, cached by user and read together. */
export class BlockDirectory {
  private readonly cache: LRUCache<string, Blocks>
  private readonly log: ConversationLog
  private readonly reader: BatchedReader<string, Set<string>>
  /** Counts changes of this process: what was read before one may be older than it. */
  private version = 0

  /** @param max users whose blocks are kept */
  constructor (log: ConversationLog, max = 50_000) {
    this.log = log
    this.cache = new LRUCache({ max, ttl: believedMs })
    this.reader = new BatchedReader(async userIds => {
      const found = new Map(userIds.map(userId => [userId, new Set<string>()]))
      const rows = log.collections.rows.find({ conversationId: { $in: userIds.map(selfLogId) }, on: true }).hint(indexNames.byBlock)
      for await (const { conversationId, about } of rows) found.get(selfLogOwner(conversationId)!)?.add(about!)
      return found
    })
    log.onCommitted(({ rows }) => {
      for (const { row } of rows) {
        if (row.kind === 'block') this.forget(selfLogOwner(row.conversationId)!)
      }
    })
  }

  /** The next `of` reads the database again. */
  forget (userId: string): void {
    this.version++
    this.cache.delete(userId)
  }

  /** Whom this user has blocked, without waiting; undefined where that is not known now. */
  peek (userId: string): ReadonlySet<string> | undefined {
    return this.cache.get(userId)?.blocked
  }

  /** Whom this user has blocked; another node's change is seen within seconds. */
  async get (userId: string): Promise<ReadonlySet<string>> {
    return this.peek(userId) ?? await this.getAsOf(userId, await this.log.head(selfLogId(userId)))
  }

  /** Whom this user has blocked as of their own log's head, or later. */
  async getAsOf (userId: string, selfHead: Head | undefined): Promise<ReadonlySet<string>> {
    const rev = selfHead?.blockRev ?? 0
    const cached = this.cache.get(userId)
    if (cached?.rev === rev) return cached.blocked
    const { version } = this
    const blocked = rev === 0 ? nobody : await this.reader.get(userId) ?? nobody
    if (version === this.version) this.cache.set(userId, { rev, blocked })
    return blocked
  }
}
