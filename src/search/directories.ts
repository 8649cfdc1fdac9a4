import { LRUCache } from 'lru-cache'
import type { Rev } from '../log/model/types.ts'
import type { SearchIndex, Segment } from './collections.ts'
import { type Times, readTimes } from './times.ts'

/** A segment, decoded. */
export interface KnownSegment extends Pick<Segment, 'id' | 'first' | 'last' | 'lastMs'> {
  times: Times
  /** The beginnings of the chunks' first terms. */
  starts: readonly string[]
}

interface Known {
  /** They have every change up to this rev. */
  rev: Rev
  segments: readonly KnownSegment[]
}

const bytesMax = 64 * 1_024 * 1_024
/** About what the cache needs for an entry, a segment, and each known time or start. */
const bytesOf = { entry: 300, segment: 200, item: 48 }
const directoriesInQuery = 1_000

/**
 * Which segments there are in the conversations that are searched. What is known may be old: its chunks may be gone,
 * and messages may be missing that were handled later. So it counts only up to its rev.
 */
export class Directories {
  private readonly collection: SearchIndex['directories']
  private readonly known = new LRUCache<string, Known>({
    maxSize: bytesMax,
    sizeCalculation: ({ segments }) => segments.reduce((sum, { times, starts }) =>
      sum + bytesOf.segment + (times.seqs.length + starts.length) * bytesOf.item, bytesOf.entry)
  })

  constructor ({ directories }: SearchIndex) {
    this.collection = directories
  }

  /** The segments of these conversations, with every change up to the given revs, which the index has handled. */
  async of (handled: ReadonlyMap<string, Rev>): Promise<Map<string, readonly KnownSegment[]>> {
    const found = new Map<string, readonly KnownSegment[]>()
    const missing: string[] = []
    for (const [id, rev] of handled) {
      const known = this.known.get(id)
      if (known !== undefined && known.rev >= rev) found.set(id, known.segments)
      else missing.push(id)
    }
    for (let at = 0; at < missing.length; at += directoriesInQuery) {
      const some = missing.slice(at, at + directoriesInQuery)
      const rows = await this.collection.find({ _id: { $in: some } }).batchSize(some.length + 1).toArray()
      const stored = new Map(rows.map(row => [row._id, row]))
      for (const id of some) {
        const { rev = 0, segments = [] } = stored.get(id) ?? {}
        const known = { rev: Math.max(rev, handled.get(id)!) as Rev, segments: segments.map(decoded) }
        this.known.set(id, known)
        found.set(id, known.segments)
      }
    }
    return found
  }

  /** They are read again when they are needed. */
  forget (ids: Iterable<string>): void {
    for (const id of ids) this.known.delete(id)
  }
}

function decoded ({ id, first, last, lastMs, times, starts }: Segment): KnownSegment {
  return { id, first, last, lastMs, times: readTimes(times), starts: starts.split(' ') }
}
