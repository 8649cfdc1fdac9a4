import { LRUCache } from 'lru-cache'
import type { SearchIndex } from './collections.ts'

const bytesMax = 32 * 1_024 * 1_024
/** About what the cache needs for an entry beside the chunk. */
const entryBytes = 250
/** Chunks that one query of the database names. */
const chunksInQuery = 1_000

/**
 * The chunks that were read last. A word that is being typed is searched for at each letter, mostly in the same chunks.
 * None of them changes: another segment has another id. So what is known may be old, but is never wrong.
 */
export class Chunks {
  private readonly collection: SearchIndex['chunks']
  private readonly known = new LRUCache<string, Buffer>({
    maxSize: bytesMax, sizeCalculation: chunk => chunk.length + entryBytes
  })

  constructor ({ chunks }: SearchIndex) {
    this.collection = chunks
  }

  /**
   * The postings of these chunks, without those that are gone.
   * @param giveWay is called after each query of the database
   */
  async of (ids: readonly string[], giveWay: () => Promise<void>): Promise<Map<string, Buffer>> {
    const found = new Map<string, Buffer>()
    const missing: string[] = []
    for (const id of ids) {
      const chunk = this.known.get(id)
      if (chunk === undefined) missing.push(id)
      else found.set(id, chunk)
    }
    for (let at = 0; at < missing.length; at += chunksInQuery) {
      const some = missing.slice(at, at + chunksInQuery)
      const rows = await this.collection.find({ _id: { $in: some } }).batchSize(some.length + 1).toArray()
      for (const { _id, postings } of rows) {
        // A copy: the driver's bytes are a part of the whole reply.
        const chunk = Buffer.from(postings)
        this.known.set(_id, chunk)
        found.set(_id, chunk)
      }
      await giveWay()
    }
    return found
  }
}
