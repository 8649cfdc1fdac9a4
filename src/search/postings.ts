import type { Filter } from 'mongodb'
import { type IndexedMessage, type SearchCollection, searchIndexName } from './collections.ts'
import type { OwnConversation } from './own-conversations.ts'
import { type Place, comparePlaces, endOf } from './place.ts'
import type { Query } from './query.ts'
import { type Need, isMetByAnyPosting } from './words.ts'

/**
 * Finds in the index what a query may match, the newest first. What a call costs is bounded: by the postings (entries
 * of the index under a term) and the seeks (places of the index that are looked up: one for each conversation and
 * term).
 */

/**
 * What one call may cost: postings and seeks. A word with at most `probeMax` postings is looked up whole, others in
 * windows of time with at most `windowMax`, or four times as many if only some of them are answered.
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

/** A message that the index names. Its terms are most of it, and stay in the database. */
export type Posting = Omit<IndexedMessage, 'k'>

/** Every posting of a stretch of time: those of messages at or before the place `through`. */
interface Found {
  /** In the order of the results. */
  postings: Posting[]
  /** Everything up to here is found. Undefined: everything is. */
  through: Place | undefined
}

/** From `low` on, before `high`, in milliseconds since 1970. */
interface Window { low: number, high: number }

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
    .filter(({ u, t, _id }) => (query.from === undefined || u.toHexString() === query.from) &&
      (from === undefined || comparePlaces({ time: t.getTime(), id: _id.toHexString() }, from) > 0))
    .sort((a, b) => comparePlaces(placeOfPosting(a), placeOfPosting(b)))

  const { few, rarest, perMs, newest } = await probe(reader, own, query, end)
  const others = query.needs.filter(need => need !== rarest).map(conditionOf)
  if (few !== undefined) {
    const all = { low: query.after, high: end }
    const postings = others.length === 0 ? few : await reader.read(rarest, own, all, { others, isWhole: true })
    yield { postings: accepted(postings), through: undefined }
    return
  }
  if (!isMetByAnyPosting(rarest)) others.push(conditionOf(rarest))
  const windowMax = bounds.windowMax * (others.length > 0 ? 4 : 1)
  let widthMs = Math.ceil(windowMax / 2 / perMs)
  // Nothing may have been said for months.
  let quietMs = end - newest
  let isFirst = true
  for (let high = end; high > query.after && (isFirst || !reader.isSpent);) {
    const low = Math.max(query.after, widthMs > yearMs ? 0 : high - widthMs - quietMs)
    const later = own.filter(({ lastMs }) => lastMs >= low)
    // Whoever adopted messages may have many of one millisecond.
    const limit = high - low <= 1 ? Infinity : windowMax
    const { count, postings } = await readWindow(reader, rarest, later, { low, high }, others, limit)
    if (count > limit) {
      widthMs = Math.max(1, Math.floor(Math.min(widthMs + quietMs, high - low) / 4))
      quietMs = 0
      continue
    }
    yield { postings: accepted(postings), through: low <= query.after ? undefined : endOf(low) }
    isFirst = false
    quietMs = 0
    if (count < windowMax / 4) widthMs *= 4
    high = low
  }
}

/** The postings under the need, or only their number if that is above the limit. */
async function readWindow (
  reader: PostingReader, need: Need, own: readonly OwnConversation[], window: Window,
  others: readonly Condition[], limit: number
): Promise<{ count: number, postings: Posting[] }> {
  if (others.length === 0) {
    const postings = await reader.read(need, own, window, { limit })
    return { count: postings.length, postings }
  }
  const count = await reader.count(need, own, window, limit)
  return { count, postings: count > limit ? [] : await reader.read(need, own, window, { others }) }
}

interface Probed {
  /** All postings of the need, if they are few. */
  few?: Posting[]
  /** The need with the fewest, and about how many those are in a millisecond up to a time. */
  rarest: Need
  perMs: number
  newest: number
}

/** Looks up needs one after the other, until one of them has few postings. */
async function probe (
  reader: PostingReader, own: readonly OwnConversation[], { needs, after }: Query, end: number
): Promise<Probed> {
  const { probeMax, seeksMax } = reader.bounds
  // A long word is rarer than a short one.
  const longest = [...needs].sort((a, b) => lengthOf(b) - lengthOf(a))
  let best: Probed = { rarest: longest[0]!, perMs: 1 / dayMs, newest: end }
  let isKnown = false
  for (const [index, rarest] of longest.slice(0, probesMax).entries()) {
    if (own.length * (index + 1) > seeksMax / 2) break
    const some = await reader.read(rarest, own, { low: after, high: end }, { limit: probeMax, isWhole: true })
    if (some.length <= probeMax) return { few: some, rarest, perMs: 0, newest: end }
    const rate = rateOf(some, own.length)
    if (!isKnown || rate.perMs < best.perMs) best = { rarest, ...rate }
    isKnown = true
  }
  return best
}

const lengthOf = ({ terms, begins }: Need): number => (begins ?? terms[0]!).length

/** Postings in a millisecond, over all conversations, if the others are like those in which these were found. */
function rateOf (some: readonly Posting[], conversations: number): { perMs: number, newest: number } {
  const covered = new Set(some.map(({ c }) => c)).size
  const times = some.map(({ t }) => t.getTime()).sort((a, b) => a - b)
  const [oldest, newest] = [times[0]!, times.at(-1)!]
  return { perMs: some.length / Math.max(1, newest - oldest) * conversations / covered, newest }
}

/** Of one of a message's terms. */
type Condition = string | { $regex: string }

const conditionOf = ({ terms, begins }: Need): Condition => begins === undefined ? terms[0]! : beginning(begins)

/** A beginning has only letters, digits and marks: nothing that an expression would interpret. */
const beginning = (begins: string) => ({ $regex: `^${begins}` })

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
   * The postings under the need that fulfil the others too. One above the limit shows that there are more.
   * @param isWhole looks up the words that begin like the need, and not those that share its first letters. They are
   * fewer, and not in the order of time.
   */
  async read (
    need: Need, own: readonly OwnConversation[], window: Window,
    { others = [], limit = Infinity, isWhole = false }: {
      others?: readonly Condition[], limit?: number, isWhole?: boolean
    }
  ): Promise<Posting[]> {
    const found: Posting[] = []
    for (const filter of this.filters(need, own, window, isWhole)) {
      if (found.length > limit) break
      const besides = others.map(k => ({ k }) as Filter<IndexedMessage>)
      const both = besides.length === 0 ? filter : { ...filter, $and: besides }
      const cursor = this.search.find(both).hint(searchIndexName).project<Posting>({ k: 0 })
      if (limit !== Infinity) cursor.limit(limit + 1 - found.length).batchSize(limit + 2)
      found.push(...await cursor.toArray())
      await this.giveWay()
    }
    this.postings += found.length
    return found
  }

  /** How many postings are under the need; above the limit only that they are more. */
  async count (need: Need, own: readonly OwnConversation[], window: Window, limit: number): Promise<number> {
    let count = 0
    for (const filter of this.filters(need, own, window, false)) {
      if (count > limit) break
      const rest = limit === Infinity ? {} : { limit: limit + 1 - count }
      count += await this.search.countDocuments(filter, { hint: searchIndexName, ...rest })
      await this.giveWay()
    }
    this.postings += count
    return count
  }

  private * filters (
    { terms, begins }: Need, own: readonly OwnConversation[], { low, high }: Window, isWhole: boolean
  ): Generator<Filter<IndexedMessage>> {
    const k = isWhole && begins !== undefined ? beginning(begins) : { $in: [...terms] }
    for (let at = 0; at < own.length; at += conversationsInQuery) {
      const codes = [...new Set(own.slice(at, at + conversationsInQuery).map(({ code }) => code))]
      this.seeks += codes.length * (isWhole ? 2 : terms.length)
      yield { c: { $in: codes }, k, t: { $gte: new Date(low), $lt: new Date(high) } } as Filter<IndexedMessage>
    }
  }
}

const placeOfPosting = ({ t, _id }: Posting): Place => ({ time: t.getTime(), id: _id.toHexString() })
