import { LRUCache } from 'lru-cache'
import type { Page } from '../log/page.ts'
import type { Head, LogRow, Rev } from '../log/types.ts'

/** Rows of a direct conversation in ascending time, as scans found them behind one head. */
interface Segment {
  headRev: Rev
  /** Milliseconds since 1970: it holds every row that changed later, as far as it reaches. */
  since: number
  rows: LogRow[]
  /** It reaches the head. */
  complete: boolean
}

/** Rows of one conversation that are kept. */
const rowsMax = 2_000
/** Rough size of a row without its text, in bytes. */
const rowBytes = 800

/**
 * What was scanned lately, for the many clients that ask the same of a conversation after a reconnect. The caller has
 * just read the head: rows change only with it, so that a segment of the same headRev is what a scan would find, on
 * every node. If one was served behind another head, a client would miss the changes in between for good.
 */
export class Segments {
  private readonly cache: LRUCache<string, Segment>

  /** @param bytesMax rough size of all that is kept */
  constructor (bytesMax = 64 << 20) {
    this.cache = new LRUCache({ maxSize: bytesMax, sizeCalculation: ({ rows }) => 200 + rows.reduce((sum, row) => sum + rowBytes + 2 * (row.message?.length ?? 0), 0) })
  }

  /** Rows changed after `since`, if they are known; `head` was read for this question. */
  find (head: Head, since: Date, limit: number): Page | undefined {
    const segment = this.cache.get(head._id)
    const time = since.getTime()
    if (segment === undefined || segment.headRev !== head.headRev || time < segment.since) return undefined
    const start = firstAfter(segment.rows, time)
    if (segment.rows.length - start >= limit) return { rows: segment.rows.slice(start, start + limit), hasMore: true }
    return segment.complete ? { rows: segment.rows.slice(start), hasMore: false } : undefined
  }

  /** Keeps what a scan after `since` found; `head` was read before it. */
  keep (head: Head, since: Date, { rows, hasMore }: Page): void {
    const last = rows.at(-1)
    // What is newer than the head does not belong to it.
    if (last === undefined || last.rev > head.headRev) return
    const before = this.cache.get(head._id)
    const segment = { headRev: head.headRev, since: since.getTime(), rows, complete: !hasMore }
    this.cache.set(head._id, before === undefined ? segment : joined(before, segment) ?? segment)
  }
}

/** Both as one, where the second begins within the first. */
function joined (first: Segment, second: Segment): Segment | undefined {
  const end = first.rows.at(-1)?.updatedAt.getTime() ?? first.since
  if (first.headRev !== second.headRev || second.since < first.since || (second.since > end && !first.complete)) return undefined
  const added = second.rows.slice(firstAfter(second.rows, end))
  return first.rows.length + added.length > rowsMax ? undefined : { ...first, rows: [...first.rows, ...added], complete: first.complete || second.complete }
}

/** Index of the first row that changed after a time, in milliseconds since 1970. */
function firstAfter (rows: readonly LogRow[], time: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (rows[middle]!.updatedAt.getTime() > time) high = middle
    else low = middle + 1
  }
  return low
}
