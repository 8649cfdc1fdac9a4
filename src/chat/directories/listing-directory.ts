import { LRUCache } from 'lru-cache'
import { type Collection, ObjectId } from 'mongodb'
import { BatchedReader } from '../../lib/batched-reader.ts'
import { upTo } from '../../lib/up-to.ts'
import type { ListingRow } from './collections.ts'

/** Milliseconds for which a listing, or its absence, is cached: the host application announces no changes. */
const ttlMs = 10_000

/** The host application's listings by id. They are cached, and reads are batched. */
export class ListingDirectory {
  private readonly cache = new LRUCache<string, { row: ListingRow | null }>({ ...upTo(10_000), ttl: ttlMs })
  private readonly reader: BatchedReader<string, ListingRow>

  constructor (listings: Collection<ListingRow>) {
    this.reader = new BatchedReader(async ids => {
      const rows = await listings
        .find({ _id: { $in: ids.map(id => new ObjectId(id)) } }, { projection: { title: 1 } })
        .batchSize(ids.length + 1)
        .toArray()
      return new Map(rows.map(row => [row._id.toHexString(), row]))
    })
  }

  /** Null: it does not exist; undefined: it is not cached. */
  peek (id: string): ListingRow | null | undefined {
    return this.cache.get(id)?.row
  }

  async get (id: string): Promise<ListingRow | null> {
    const cached = this.cache.get(id)
    if (cached !== undefined) return cached.row
    const row = await this.reader.get(id) ?? null
    this.cache.set(id, { row })
    return row
  }
}
