import type { LogRow, Seq } from '../log/model/types.ts'
import type { Chunks } from './chunks.ts'
import { chunkId } from './collections.ts'
import type { KnownSegment } from './directories.ts'
import type { OwnConversation } from './own-conversations.ts'
import type { Place } from './place.ts'
import type { Query } from './query.ts'
import { chunksFor, findPostings } from './segment.ts'
import { firstAbove, latestMs, seqAfter } from './times.ts'
import type { Need } from './words.ts'

/**
 * The messages that may match according to the index. The segment says roughly when each was sent: none of the
 * messages that are left was sent after `latestMs`. So by reading the rows that `take` names, a search has the newest
 * matches in order, long before it has read everything.
 */

/** What one call may cost, and how much is read at once: of the rows a few, and twice as many each time. */
export const searchBounds = { chunksMax: 8_000, segmentsAtOnce: 200, rowsAtFirst: 32, rowsAtOnce: 256 }
export type SearchBounds = typeof searchBounds

/** Needs that are looked up; the rows are checked for the others. */
const needsMax = 4

/** A segment took the place of one whose chunks were about to be read: the search begins again. */
export class SegmentReplaced extends Error {}

/** The messages of one segment that may match, of which the newest are taken first. */
class Stretch {
  readonly conversationId: string
  readonly segment: KnownSegment
  /** Ascending; those that were taken are gone. */
  seqs: number[] = []
  /** -Infinity: none is left. */
  latestMs: number

  constructor (conversationId: string, segment: KnownSegment, latestMs: number) {
    this.conversationId = conversationId
    this.segment = segment
    this.latestMs = Math.min(latestMs, segment.lastMs)
  }

  takeNewest (): Seq {
    const seq = this.seqs.pop() as Seq
    this.sawUpTo(this.latestMs)
    return seq
  }

  /** Those that are left were not sent later. */
  sawUpTo (ms: number): void {
    const last = this.seqs.at(-1)
    this.latestMs = last === undefined ? -Infinity : Math.min(ms, this.latestMs, latestMs(this.segment, last))
  }
}

/** Some messages of a conversation. */
export interface Taken {
  conversationId: string
  seqs: Seq[]
}

export class Candidates {
  private readonly stored: Chunks
  private readonly needs: readonly Need[]
  private readonly lastMs: number
  private readonly bounds: SearchBounds
  private readonly giveWay: () => Promise<void>
  /** The newest first. */
  private readonly unread: Stretch[] = []
  private read: Stretch[] = []
  private chunksRead = 0
  private rowsNext: number
  /** What `take` named last. */
  private taken = new Map<Stretch, Seq[]>()

  /**
   * @param segments of all these conversations
   * @param from only those behind this place are needed
   */
  constructor (
    stored: Chunks, own: ReadonlyMap<string, OwnConversation>,
    segments: ReadonlyMap<string, readonly KnownSegment[]>, { needs, after, before }: Query, from: Place | undefined,
    bounds: SearchBounds, giveWay: () => Promise<void>
  ) {
    this.stored = stored
    // A long word is rarer than a short one.
    this.needs = [...needs].sort((a, b) => b.term.length - a.term.length).slice(0, needsMax)
    this.lastMs = Math.min(before - 1, from === undefined ? Infinity : lastMsBehind(from))
    this.bounds = bounds
    this.giveWay = giveWay
    this.rowsNext = bounds.rowsAtFirst
    if (needs.length === 0) return
    for (const [conversationId, { view }] of own) {
      for (const segment of segments.get(conversationId) ?? []) {
        const isNeeded = segment.last > view.afterSeq && segment.lastMs >= after && segment.times.ms[0]! <= this.lastMs
        if (isNeeded) this.unread.push(new Stretch(conversationId, segment, this.lastMs))
      }
    }
    this.unread.sort(byLatest)
  }

  /** -Infinity: no candidate is left. */
  get latestMs (): number {
    let latest = this.unread[0]?.latestMs ?? -Infinity
    for (const { latestMs } of this.read) latest = Math.max(latest, latestMs)
    return latest
  }

  get isSpent (): boolean {
    return this.chunksRead >= this.bounds.chunksMax
  }

  /** Takes the newest that are known. None, if more of the index had to be read first: call it again. */
  async take (): Promise<Taken[]> {
    const unreadMs = this.unread[0]?.latestMs ?? -Infinity
    this.read = this.read.filter(({ latestMs }) => latestMs > -Infinity).sort(byLatest)
    const newest = this.read.filter(({ latestMs }) => latestMs > unreadMs).slice(0, this.rowsNext)
    if (newest.length === 0) {
      await this.readMore(this.unread.splice(0, this.bounds.segmentsAtOnce))
      return []
    }
    this.taken = new Map()
    for (let count = 0; count < this.rowsNext; count++) {
      const stretch = newest.reduce((a, b) => b.latestMs > a.latestMs ? b : a)
      if (stretch.latestMs <= unreadMs) break
      const seqs = this.taken.get(stretch)
      if (seqs === undefined) this.taken.set(stretch, [stretch.takeNewest()])
      else seqs.push(stretch.takeNewest())
    }
    this.rowsNext = Math.min(this.rowsNext * 2, this.bounds.rowsAtOnce)
    return Array.from(this.taken, ([{ conversationId }, seqs]) => ({ conversationId, seqs }))
  }

  /** Call this with each row that was taken: it shows that the rows before it were not sent later. */
  saw ({ conversationId, seq, createdAt }: LogRow): void {
    for (const [stretch, seqs] of this.taken) {
      if (stretch.conversationId === conversationId && seqs.includes(seq!)) stretch.sawUpTo(createdAt.getTime())
    }
  }

  /** Looks up the needs one after the other, where the messages fulfil those before. */
  private async readMore (stretches: Stretch[]): Promise<void> {
    let left = stretches
    for (const [at, need] of this.needs.entries()) {
      const found = await this.lookUp(need, left)
      left = left.filter((stretch, index) => {
        const seqs = found[index]!
        if (at === 0) stretch.seqs = seqs
        else {
          const both = new Set(seqs)
          stretch.seqs = stretch.seqs.filter(seq => both.has(seq))
        }
        return stretch.seqs.length > 0
      })
    }
    for (const stretch of left) {
      const end = seqAfter(stretch.segment.times, this.lastMs)
      stretch.seqs = stretch.seqs.slice(0, firstAbove(stretch.seqs, end - 1))
      stretch.sawUpTo(Infinity)
      if (stretch.seqs.length > 0) this.read.push(stretch)
    }
  }

  /** The messages of each segment that fulfil a need. */
  private async lookUp (need: Need, stretches: readonly Stretch[]): Promise<number[][]> {
    const found = stretches.map((): number[][] => [])
    const wanted = stretches.flatMap(({ conversationId, segment }, at) => {
      const { from, to } = chunksFor(segment.starts, need)
      return Array.from({ length: to - from + 1 }, (_, index) =>
        ({ at, id: chunkId(conversationId, segment.id, from + index) }))
    })
    const chunks = await this.stored.of(wanted.map(({ id }) => id), this.giveWay)
    for (const { at, id } of wanted) {
      const chunk = chunks.get(id)
      if (chunk === undefined) throw new SegmentReplaced()
      found[at]!.push(...findPostings(chunk, stretches[at]!.segment.first, need))
    }
    this.chunksRead += wanted.length
    return found.map((lists, at) => lists.length <= 1 ? lists[0] ?? [] : union(lists, stretches[at]!.segment))
  }
}

/** All seqs of the lists, ascending, each once. */
function union (lists: readonly number[][], { first, last }: KnownSegment): number[] {
  const marks = new Uint8Array(last - first + 1)
  for (const list of lists) for (const seq of list) marks[seq - first] = 1
  const seqs: number[] = []
  for (let at = marks.indexOf(1); at >= 0; at = marks.indexOf(1, at + 1)) seqs.push(first + at)
  return seqs
}

const byLatest = (a: Stretch, b: Stretch) => b.latestMs - a.latestMs

/** Whatever comes behind the place was sent at or before this time. */
const lastMsBehind = ({ time, id }: Place): number => /^0+$/.test(id) ? time - 1 : time
