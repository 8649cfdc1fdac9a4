import type { Filter } from 'mongodb'
import { type IndexedMessage, type SearchCollection, searchIndexName } from './collections.ts'
import type { OwnConversation } from './own-conversations.ts'
import { type Place, comparePlaces, endOf } from './place.ts'
import type { Query } from './query.ts'
import { type Need, fulfils } from './words.ts'

/**
 * Finds in the index what a query may match, the newest first. What a call costs is bounded: by the postings (entries
 * of the index under a term) and the seeks (places of the index that are looked up: one for each conversation and
 * term).
 */

/**
 * What one call may cost: postings and seeks. A word with at most `probeMax` postings is looked up whole, others in
 * windows of time with at most `windowMax`.
 */
export const searchBounds = { postingsMax: 4_000, seeksMax: 20_000, probeMax: 200, windowMax: 500 }
export type SearchBounds = typeof searchBounds

/** Conversations that one query of the database names. */
const conversationsInQuery = 1_000
/** Needs of a query that are looked up to learn which is the rarest. */
const probesMax = 6
/** Milliseconds. */
const dayMs = 86_400_000
const yearMs = 365 * dayMs

export type Posting = IndexedMessage

/** Every posting of a stretch of time: those of messages at or before the place `through`. */
interface Found {
  /** In the order of the results. */
  postings: Posting[]
  /** Everything up to here is found. Undefined: everything is. */
  through: Place | undefined
}

/**
 * The postings that fulfil the query's needs, stretch by stretch of time from the newest on. It ends early when the
 * bounds are reached, but not before the first stretch.
 */
export async function * findPostings (
  search: SearchCollection, own: readonly OwnConversation[], query: Query, from: Place | undefined,
  bounds: SearchBounds, giveWay: () => Promise<void>
): AsyncGenerator<Found> {
  if (query.needs.length === 0 || own.length === 0) return
  const reader = new PostingReader(search, bounds, giveWay)
  const newestMs = own.reduce((last, { lastMs }) => Math.max(last, lastMs), 0)
  const end = Math.min(query.before, newestMs + 1, from === undefined ? Infinity : from.time + 1)
  const accepted = (postings: readonly Posting[]) => postings
    .filter(({ k, u, t, _id }) => query.needs.every(need => fulfils(k, need)) &&
      (query.from === undefined || u.toHexString() === query.from) &&
      (from === undefined || comparePlaces({ time: t.getTime(), id: _id.toHexString() }, from) > 0))
    .sort((a, b) => comparePlaces(placeOfPosting(a), placeOfPosting(b)))

  const { whole, rarest, perMs } = await probe(reader, own, query, end)
  if (whole !== undefined) {
    yield { postings: accepted(whole), through: undefined }
    return
  }
  let widthMs = Math.ceil(bounds.windowMax / 2 / perMs)
  let isFirst = true
  for (let high = end; high > query.after && (isFirst || !reader.isSpent);) {
    const low = Math.max(query.after, widthMs > yearMs ? 0 : high - widthMs)
    const later = own.filter(({ lastMs }) => lastMs >= low)
    // Whoever adopted messages may have many of one millisecond.
    const limit = high - low <= 1 ? Infinity : bounds.windowMax
    const postings = await reader.read(rarest, later, { low, high }, limit)
    if (postings.length > limit) {
      widthMs = Math.max(1, Math.floor((high - low) / 4))
      continue
    }
    yield { postings: accepted(postings), through: low <= query.after ? undefined : endOf(low) }
    isFirst = false
    if (postings.length < bounds.windowMax / 4) widthMs *= 4
    high = low
  }
}

interface Probed {
  /** All postings of a need, which are few. */
  whole?: Posting[]
  /** Otherwise the need with the fewest, and about how many those are in a millisecond. */
  rarest: Need
  perMs: number
}

/** Looks up needs one after the other, until one of them has few postings. */
async function probe (
  reader: PostingReader, own: readonly OwnConversation[], { needs, after }: Query, end: number
): Promise<Probed> {
  const { probeMax, seeksMax } = reader.bounds
  // A long word is rarer than a short one.
  const longest = [...needs].sort((a, b) => lengthOf(b) - lengthOf(a))
  let best: Probed = { rarest: longest[0]!, perMs: 1 / dayMs }
  let isKnown = false
  for (const [index, rarest] of longest.slice(0, probesMax).entries()) {
    if (own.length * (index + 1) > seeksMax / 2) break
    const some = await reader.read(rarest, own, { low: after, high: end }, probeMax, true)
    if (some.length <= probeMax) return { whole: some, rarest, perMs: 0 }
    const perMs = rateOf(some, own.length, end)
    if (!isKnown || perMs < best.perMs) best = { rarest, perMs }
    isKnown = true
  }
  return best
}

const lengthOf = ({ terms, begins }: Need): number => (begins ?? terms[0]!).length

/** Postings in a millisecond, over all conversations, if the others are like those in which these were found. */
function rateOf (some: readonly Posting[], conversations: number, end: number): number {
  const covered = new Set(some.map(({ c }) => c)).size
  const oldest = some.reduce((oldest, { t }) => Math.min(oldest, t.getTime()), end)
  return some.length / Math.max(1, end - oldest) * conversations / covered
}

class PostingReader {
  readonly bounds: SearchBounds
  private readonly search: SearchCollection
  private readonly giveWay: () => Promise<void>
  private postings = 0
  private seeks = 0

  constructor (search: SearchCollection, bounds: SearchBounds, giveWay: () => Promise<void>) {
    this.search = search
    this.bounds = bounds
    this.giveWay = giveWay
  }

  get isSpent (): boolean {
    return this.postings >= this.bounds.postingsMax || this.seeks >= this.bounds.seeksMax
  }

  /**
   * One posting above the limit shows that there are more.
   * @param isWhole looks up the words that begin like the need, and not those that share its first letters. They are
   * fewer, and not in the order of time.
   */
  async read (
    { terms, begins }: Need, own: readonly OwnConversation[], { low, high }: { low: number, high: number },
    limit: number, isWhole = false
  ): Promise<Posting[]> {
    // A beginning has only letters, digits and marks: nothing that an expression would interpret.
    const k = isWhole && begins !== undefined ? { $regex: `^${begins}` } : { $in: [...terms] }
    const found: Posting[] = []
    for (let at = 0; at < own.length && found.length <= limit; at += conversationsInQuery) {
      const codes = [...new Set(own.slice(at, at + conversationsInQuery).map(({ code }) => code))]
      const filter = { c: { $in: codes }, k, t: { $gte: new Date(low), $lt: new Date(high) } }
      const cursor = this.search.find(filter as Filter<IndexedMessage>).hint(searchIndexName)
      if (limit !== Infinity) cursor.limit(limit + 1 - found.length).batchSize(limit + 2)
      found.push(...await cursor.toArray())
      this.seeks += codes.length * (isWhole ? 2 : terms.length)
      await this.giveWay()
    }
    this.postings += found.length
    return found
  }
}

const placeOfPosting = ({ t, _id }: Posting): Place => ({ time: t.getTime(), id: _id.toHexString() })
