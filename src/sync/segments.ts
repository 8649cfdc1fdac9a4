import { LRUCache } from 'lru-cache'
import type { Page } from '../log/page.ts'
import type { Head, LogRow, Rev } from '../log/types.ts'

/** Rows of a conversation in ascending order of their places, as scans found them behind one head. */
interface Segment {
  headRev: Rev
  /** It holds every row behind this place, as far as it reaches. */
  since: number
  rows: LogRow[]
  /** It reaches the head. */
  complete: boolean
}

/** The places of rows in an order in which a conversation is scanned. */
export type PlaceOf = (row: LogRow) => number

export const byTime: PlaceOf = ({ updatedAt }) => updatedAt.getTime()
export const byRev: PlaceOf = ({ rev }) => rev

/** Rough size of a row without its text, in bytes. */
const rowBytes = 800

/**
 * What was scanned lately, for the many clients that ask the same of a conversation after a reconnect. The caller has
 * just read the head: rows change only with it, so that a segment of the same headRev is what a scan would find, on
 * every node. If one was served behind another head, a client would miss the changes in between for good.
 */
export class Segments {
  private readonly cache: LRUCache<string, Segment>
  private readonly placeOf: PlaceOf
  private readonly rowsMax: number

  /** @param bytesMax rough size of all that is kept @param rowsMax rows of one conversation that are kept */
  constructor (placeOf: PlaceOf, { bytesMax = 64 << 20, rowsMax = 2_000 } = {}) {
    this.placeOf = placeOf
    this.rowsMax = rowsMax
    this.cache = new LRUCache({ maxSize: bytesMax, sizeCalculation: ({ rows }) => 200 + rows.reduce((sum, row) => sum + rowBytes + 2 * (row.message?.length ?? 0), 0) })
  }

  /** Rows behind the place `since`, if they are known; `head` was read for this question. */
  find (head: Head, since: number, limit: number): Page | undefined {
    const segment = this.cache.get(head._id)
    if (segment === undefined || segment.headRev !== head.headRev || since < segment.since) return undefined
    const start = this.firstAfter(segment.rows, since)
    if (segment.rows.length - start >= limit) return { rows: segment.rows.slice(start, start + limit), hasMore: true }
    return segment.complete ? { rows: segment.rows.slice(start), hasMore: false } : undefined
  }

  /** Keeps what a scan behind the place `since` found; `head` was read before it. */
  keep (head: Head, since: number, { rows, hasMore }: Page): void {
    const last = rows.at(-1)
    // What is newer than the head does not belong to it.
    if (last === undefined || last.rev > head.headRev) return
    const before = this.cache.get(head._id)
    const segment = { headRev: head.headRev, since, rows, complete: !hasMore }
    this.cache.set(head._id, before === undefined ? segment : this.joined(before, segment) ?? segment)
  }

  /** Both as one, where the second begins within the first. */
  private joined (first: Segment, second: Segment): Segment | undefined {
    const last = first.rows.at(-1)
    const end = last === undefined ? first.since : this.placeOf(last)
    if (first.headRev !== second.headRev || second.since < first.since || (second.since > end && !first.complete)) return undefined
    const added = second.rows.slice(this.firstAfter(second.rows, end))
    return first.rows.length + added.length > this.rowsMax ? undefined : { ...first, rows: [...first.rows, ...added], complete: first.complete || second.complete }
  }

  /** Index of the first row behind a place. */
  private firstAfter (rows: readonly LogRow[], place: number): number {
    let low = 0
    let high = rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.placeOf(rows[middle]!) > place) high = middle
      else low = middle + 1
    }
    return low
  }
}
