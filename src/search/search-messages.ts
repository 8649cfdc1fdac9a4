import { isShown } from '../chat/rules/view.ts'
import { TidelogError } from '../errors.ts'
import type { LogCollections } from '../log/model/collections.ts'
import type { LogRow, Rev } from '../log/model/types.ts'
import type { SearchQuery } from '../schemas/message.ts'
import type { Identity } from '../users/identity.ts'
import { Budget, givingWay } from './budget.ts'
import { Candidates, SegmentReplaced, type Taken } from './candidates.ts'
import type { SearchContext } from './context.ts'
import { type OwnConversation, ownConversations } from './own-conversations.ts'
import { type SearchPage, pageOf } from './page.ts'
import { type Place, type SearchCursor, comparePlaces, endOf, placeOf, readCursor, writeCursor } from './place.ts'
import { type Query, matchesFilters, matchesText, queryOf } from './query.ts'
import { scanMessages } from './scan-messages.ts'
import { scanUnindexed } from './scan-unindexed.ts'

/**
 * Two sources make one answer. The index holds every message up to its position in each conversation; what changed
 * after that is scanned. Whichever names a message, its row decides whether it is shown and matches. So an answer never
 * depends on how far the index has come.
 */

/** How often a search begins again because the index changed under it. */
const triesMax = 5

/**
 * Finds messages that contain all the words, in the caller's direct conversations and rooms, or in the one that they
 * name. A call costs a bounded time whatever is stored.
 * @throws TidelogError VALIDATION, BAD_CURSOR, NOT_FOUND, NOT_ALLOWED, RATE_LIMITED, OVERLOADED
 */
export async function searchMessages (
  context: SearchContext, identity: Identity, input: SearchQuery
): Promise<SearchPage> {
  const query = queryOf(input)
  if ((input.q ?? '').trim() === '' && query.has === undefined) {
    throw new TidelogError(
      'VALIDATION', 'q must contain a word'
    )
  }
  if (context.follower === undefined) return await scanMessages(context, identity, query, input)
  const cursor = input.cursor === undefined ? { place: undefined, scan: undefined } : readCursor(input.cursor)
  context.countSearch(identity.userId)
  return await context.turns.run(() => find(context, identity, query, input, cursor))
}

async function find (
  context: SearchContext, identity: Identity, query: Query, { conversationId, limit = 20 }: SearchQuery,
  { place, scan }: SearchCursor
): Promise<SearchPage> {
  const own = await ownConversations(context.chat, identity, conversationId, query.from)
  const budget = new Budget(context.bounds)
  const from = scan === 'done' ? undefined : scan
  const handled = await context.follower!.handledOf(Array.from(own.values(), ({ head }) => head))
  const { hits, next } = await scanUnindexed(context, own, handled, query, { behind: place, from }, budget)
  const isPart = next !== undefined || from !== undefined
  if (isPart && scan !== 'done') {
    const isCut = hits.length > limit
    const last = hits[limit - 1]
    const goesOn = isCut ? { conversationId: last!.conversationId, after: last!.rev } : next ?? 'done'
    const page = await pageOf(context.chat, identity, hits.slice(0, limit), writeCursor({ place, scan: goesOn }))
    return { ...page, indexing: true }
  }
  // What an earlier call has scanned is not scanned again.
  const found = await again(context, own, () => findShown(
    context, own, handled, query, isPart ? [] : hits, place, limit, new Budget(context.bounds)
  ))
  const goesOn = found.next === undefined ? undefined : writeCursor({ place: found.next, scan })
  const page = await pageOf(context.chat, identity, found.rows, goesOn)
  return next === undefined ? page : { ...page, indexing: true }
}

async function again<T> (
  { directories }: SearchContext, own: ReadonlyMap<string, OwnConversation>, search: () => Promise<T>
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await search()
    } catch (error) {
      if (!(error instanceof SegmentReplaced)) throw error
      directories.forget(own.keys())
      if (tries === triesMax) throw new TidelogError('OVERLOADED', undefined, { retryAfterMs: 1_000 })
    }
  }
}

interface Shown {
  rows: LogRow[]
  /** Everything up to here was looked at; undefined: everything. */
  next: Place | undefined
}

/** The messages of the index and the scanned ones, in their order, as far as the caller may see them. */
async function findShown (
  { chat, directories, chunks, bounds }: SearchContext, own: ReadonlyMap<string, OwnConversation>,
  handled: ReadonlyMap<string, Rev>, query: Query, scanned: readonly LogRow[], from: Place | undefined, limit: number,
  budget: Budget
): Promise<Shown> {
  const segments = await directories.of(handled)
  const candidates = new Candidates(chunks, own, segments, query, from, bounds, givingWay(chat.log))
  const firstMs = candidates.latestMs
  const hits = new Map(scanned.map(row => [row._id.toHexString(), row]))
  for (;;) {
    const { latestMs } = candidates
    const rows = [...hits.values()].filter(({ createdAt }) => createdAt.getTime() > latestMs)
      .sort((a, b) => comparePlaces(placeOf(a), placeOf(b)))
    if (rows.length > limit) return { rows: rows.slice(0, limit), next: placeOf(rows[limit - 1]!) }
    if (latestMs === -Infinity) return { rows, next: undefined }
    // Every call makes progress.
    if ((budget.isSpent || candidates.isSpent) && latestMs < firstMs) return { rows, next: endOf(latestMs + 1) }
    for (const row of await rowsOf(chat.log.collections.rows, await candidates.take())) {
      candidates.saw(row)
      if (await isHit(own, query, row, from, budget)) hits.set(row._id.toHexString(), row)
    }
  }
}

async function rowsOf (collection: LogCollections['rows'], taken: readonly Taken[]): Promise<LogRow[]> {
  if (taken.length === 0) return []
  const any = taken.map(({ conversationId, seqs }) => ({ conversationId, seq: { $in: seqs } }))
  const count = taken.reduce((sum, { seqs }) => sum + seqs.length, 0)
  return await collection.find({ $or: any }).batchSize(count + 1).toArray()
}

async function isHit (
  own: ReadonlyMap<string, OwnConversation>, query: Query, row: LogRow, from: Place | undefined, budget: Budget
): Promise<boolean> {
  await budget.take(row.message?.length ?? 0)
  return (from === undefined || comparePlaces(placeOf(row), from) > 0) &&
    isShown(own.get(row.conversationId)!.view, row) && matchesFilters(query, row) &&
    matchesText(query, row.message ?? '')
}
