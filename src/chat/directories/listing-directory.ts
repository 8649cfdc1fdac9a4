import { LRUCache } from 'lru-cache'
import { type Collection, ObjectId } from 'mongodb'
import { BatchedReader } from '../../lib/batched-reader.ts'
import type { ListingRow } from './collections.ts'

/** Milliseconds for which a listing (or that there is none) is believed: the host application changes them unseen. */
const ttlMs = 10_000

/** The host application's listings by id: cached, and read together. */
export class ListingDirectory {
  private readonly cache = new LRUCache<string, { row: ListingRow | null }>({ max: 10_000, ttl: ttlMs })
  private readonly reader: BatchedReader<string, ListingRow>

  constructor (listings: Collection<ListingRow>) {
    this.reader = new BatchedReader(async ids => {
      const rows = await listings.find({ _id: { $in: ids.map(id => new ObjectId(id)) } }, { projection: { title: 1 } }).batchSize(ids.length + 1).toArray()
      return new Map(rows.map(row => [row._id.toHexString(), row]))
    })
  }

  /** Null: there is none; undefined: not known now. */
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
