import { LRUCache } from 'lru-cache'
import { upTo } from '../../lib/up-to.ts'
import type { LogCollections } from '../model/collections.ts'
import type { Head } from '../model/types.ts'

/** Heads that one query reads. */
const headsInQuery = 1_000

/**
 * Heads in memory. A commit may use any of them, because its transaction checks it. If this node is the sole writer,
 * they also answer reads, and an old head would tell a client that nothing has changed. So a head that was read is kept
 * only if no commit changed it during the read, and after an unknown outcome the database answers until the next
 * commit.
 */
export class HeadCache {
  /** No other process writes to the database. */
  readonly isSoleWriter: boolean
  private readonly collection: LogCollections['heads']
  private readonly heads: LRUCache<string, Head>
  /** Conversations that are known not to exist. */
  private readonly absent: LRUCache<string, true>
  /** For each running read, the ids that no commit has changed since it began. */
  private readonly unchangedSince = new Set<Set<string>>()
  private readonly uncertain = new Set<string>()

  constructor (collection: LogCollections['heads'], isSoleWriter: boolean, max: number) {
    this.collection = collection
    this.isSoleWriter = isSoleWriter
    this.heads = new LRUCache(upTo(max))
    this.absent = new LRUCache(upTo(max))
  }

  /** Does every change of a head pass through here? */
  get isCertain (): boolean {
    return this.isSoleWriter && this.uncertain.size === 0
  }

  /** A head that may be old: good enough for a commit. */
  get (id: string): Head | undefined {
    return this.heads.get(id)
  }

  /** The current head, null if there is none, undefined if only the database knows. */
  peek (id: string): Head | null | undefined {
    if (!this.isSoleWriter || this.uncertain.has(id)) return undefined
    return this.heads.get(id) ?? (this.absent.has(id) ? null : undefined)
  }

  /** The current heads of those conversations that exist. They include everything committed before the call. */
  async read (ids: Iterable<string>): Promise<Map<string, Head>> {
    const found = new Map<string, Head>()
    const unknown: string[] = []
    for (const id of ids) {
      const head = this.peek(id)
      if (head === undefined) unknown.push(id)
      else if (head !== null) found.set(id, head)
    }
    for (let start = 0; start < unknown.length; start += headsInQuery) {
      await this.fetch(found, unknown.slice(start, start + headsInQuery))
    }
    return found
  }

  /** A commit has changed this head. */
  set (head: Head): void {
    for (const unchanged of this.unchangedSince) unchanged.delete(head._id)
    this.uncertain.delete(head._id)
    this.absent.delete(head._id)
    this.heads.set(head._id, head)
  }

  delete (id: string): void {
    for (const unchanged of this.unchangedSince) unchanged.delete(id)
    this.absent.delete(id)
    this.heads.delete(id)
  }

  /** A commit with an unknown outcome may have changed this head, or may do so later. */
  markUncertain (id: string): void {
    this.delete(id)
    this.uncertain.add(id)
  }

  private async fetch (found: Map<string, Head>, ids: string[]): Promise<void> {
    const unchanged = new Set(ids)
    this.unchangedSince.add(unchanged)
    try {
      const heads = await this.collection.find({ _id: { $in: ids } }).batchSize(ids.length + 1).toArray()
      for (const head of heads) found.set(head._id, head)
      if (!this.isSoleWriter) return
      for (const id of unchanged) {
        const head = found.get(id)
        if (head === undefined) this.absent.set(id, true)
        else this.heads.set(id, head)
      }
    } finally {
      this.unchangedSince.delete(unchanged)
    }
  }
}
