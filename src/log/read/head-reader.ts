import type { LogCollections } from '../model/collections.ts'
import type { HeadCache } from './head-cache.ts'
import type { Head } from '../model/types.ts'

/** Heads that one query asks for. */
const headsInQuery = 1_000

/** Heads as they are now, for who answers clients: from memory where nobody else writes and they are known, else from the database. */
export class HeadReader {
  /** Nobody else writes to the database. */
  readonly isSoleWriter: boolean
  private readonly cache: HeadCache
  private readonly collections: LogCollections

  constructor (cache: HeadCache, collections: LogCollections, isSoleWriter: boolean) {
    this.cache = cache
    this.collections = collections
    this.isSoleWriter = isSoleWriter
  }

  /** The head as it is now, null for none, without waiting; undefined where the database must be asked. */
  peek (id: string): Head | null | undefined {
    return this.isSoleWriter ? this.cache.getCurrent(id) : undefined
  }

  /** Those that exist. What was committed before the call is in them. */
  async read (ids: Iterable<string>): Promise<Map<string, Head>> {
    const found = new Map<string, Head>()
    const unknown: string[] = []
    for (const id of ids) {
      const head = this.peek(id)
      if (head === undefined) unknown.push(id)
      else if (head !== null) found.set(id, head)
    }
    for (let start = 0; start < unknown.length; start += headsInQuery) await this.fill(found, unknown.slice(start, start + headsInQuery))
    return found
  }

  private async fill (found: Map<string, Head>, ids: string[]): Promise<void> {
    const reading = this.cache.beginRead(ids)
    try {
      for (const head of await this.collections.heads.find({ _id: { $in: ids } }).batchSize(ids.length + 1).toArray()) found.set(head._id, head)
      if (this.isSoleWriter) this.cache.storeRead(reading, ids, found)
    } finally {
      this.cache.endRead(reading)
    }
  }
}
