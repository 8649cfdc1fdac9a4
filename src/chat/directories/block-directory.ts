import { LRUCache } from 'lru-cache'
import { BatchedReader } from '../../lib/batched-reader.ts'
import { upTo } from '../../lib/up-to.ts'
import { indexNames } from '../../log/model/collections.ts'
import type { ConversationLog } from '../../log/conversation-log.ts'
import { type Head, selfLogId, selfLogOwner } from '../../log/model/types.ts'

/** Milliseconds for which a user's blocks are cached, although another node may change them. */
const believedMs = 10_000

interface Blocks {
  /** The self log's `blockRev` when the blocks were read, or an earlier one. */
  rev: number
  blocked: ReadonlySet<string>
}

const nobody: ReadonlySet<string> = new Set()

/**
 * The users among `others` who have blocked this user or are blocked by them. The server passes typing, presence and
 * read positions in neither direction between the two.
 * @param userId @param others in hex
 */
export async function apartFrom (
  blocks: BlockDirectory, userId: string, others: readonly string[]
): Promise<Set<string>> {
  const mine = blocks.peek(userId) ?? await blocks.get(userId)
  const found = new Set<string>()
  await Promise.all([...new Set(others)].map(async other => {
    if (mine.has(other) || (blocks.peek(other) ?? await blocks.get(other)).has(userId)) found.add(other)
  }))
  return found
}

/** The blocks of each user: rows of their self log, cached by user. Reads are batched. */
export class BlockDirectory {
  private readonly cache: LRUCache<string, Blocks>
  private readonly log: ConversationLog
  private readonly reader: BatchedReader<string, Set<string>>
  /** Counts this process's changes: a read that began before one may return older blocks. */
  private version = 0
  /** Users whose blocks have just changed. An older head that names no block does not mean that there is none. */
  private readonly changed: LRUCache<string, true>

  /** @param max users whose blocks are cached */
  constructor (log: ConversationLog, max = 50_000) {
    this.log = log
    this.cache = new LRUCache({ ...upTo(max), ttl: believedMs })
    this.changed = new LRUCache({ ...upTo(max), ttl: believedMs })
    this.reader = new BatchedReader(async userIds => {
      const found = new Map(userIds.map(userId => [userId, new Set<string>()]))
      const rows = log.collections.rows
        .find({ conversationId: { $in: userIds.map(selfLogId) }, on: true })
        .hint(indexNames.byBlock)
      for await (const { conversationId, about } of rows) found.get(selfLogOwner(conversationId)!)?.add(about!)
      return found
    })
    log.onCommitted(({ rows }) => {
      for (const { row } of rows) {
        if (row.kind === 'block') this.forget(selfLogOwner(row.conversationId)!)
      }
    })
  }

  /** Makes the next `get` read the database again. */
  forget (userId: string): void {
    this.version++
    this.cache.delete(userId)
    this.changed.set(userId, true)
  }

  /** The users whom this user has blocked, without waiting; undefined if they are not cached. */
  peek (userId: string): ReadonlySet<string> | undefined {
    return this.cache.get(userId)?.blocked
  }

  /** The users whom this user has blocked. Another node's change takes up to ten seconds to appear. */
  async get (userId: string): Promise<ReadonlySet<string>> {
    return this.peek(userId) ?? await this.getAsOf(userId, await this.log.head(selfLogId(userId)))
  }

  /** The users whom this user has blocked, as of the self log's head or later. */
  async getAsOf (userId: string, selfHead: Head | undefined): Promise<ReadonlySet<string>> {
    const rev = selfHead?.blockRev ?? 0
    const cached = this.cache.get(userId)
    if (cached?.rev === rev) return cached.blocked
    const { version } = this
    const blocked = rev === 0 && !this.changed.has(userId) ? nobody : await this.reader.get(userId) ?? nobody
    if (version === this.version) this.cache.set(userId, { rev, blocked })
    return blocked
  }
}
