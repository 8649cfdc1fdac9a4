import type { ObjectId } from 'mongodb'
import { loadMessagePayloads } from '../chat/payload/load-payloads.ts'
import { isShown } from '../chat/rules/view.ts'
import { TidelogError } from '../errors.ts'
import type { LogRow } from '../log/model/types.ts'
import type { Message, SearchQuery } from '../schemas/message.ts'
import type { Identity } from '../users/identity.ts'
import { Budget, givingWay } from './budget.ts'
import type { SearchContext, SearchPage } from './context.ts'
import { type OwnConversation, ownConversations } from './own-conversations.ts'
import { type Place, type SearchCursor, comparePlaces, placeOf, readCursor, writeCursor } from './place.ts'
import { type Posting, findPostings } from './postings.ts'
import { type Query, matchesFilters, matchesText, queryOf } from './query.ts'
import { scanMessages } from './scan-messages.ts'
import { scanUnindexed } from './scan-unindexed.ts'

/**
 * Two sources make one answer. The index holds every message up to its position in each conversation; what changed
 * after that is scanned. Whichever names a message, its row decides whether it is shown and matches. So an answer never
 * depends on how far the index has come.
 */

/** Candidates whose rows are read at once. */
const candidatesAtOnce = 50

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
  const { hits, next } = await scanUnindexed(context, own, query, { behind: place, from }, budget)
  const isPart = next !== undefined || from !== undefined
  if (isPart && scan !== 'done') {
    const isCut = hits.length > limit
    const last = hits[limit - 1]
    const goesOn = isCut ? { conversationId: last!.conversationId, after: last!.rev } : next ?? 'done'
    const page = await pageOf(context, identity, hits.slice(0, limit), { place, scan: goesOn })
    return { ...page, indexing: true }
  }
  // What an earlier call has scanned is not scanned again.
  const found = await findShown(context, own, query, isPart ? [] : hits, place, limit, new Budget(context.bounds))
  const goesOn = found.next === undefined ? undefined : { place: found.next, scan }
  const page = await pageOf(context, identity, found.rows, goesOn)
  return next === undefined ? page : { ...page, indexing: true }
}

interface Shown {
  rows: LogRow[]
  /** Everything up to here was looked at; undefined: everything. */
  next: Place | undefined
}

/** A message that may match: its row, or what the index says of it. */
type Candidate = { place: Place, row: LogRow } | { place: Place, posting: Posting }

/** The messages of the index and the scanned ones, in their order, as far as the caller may see them. */
async function findShown (
  { chat, index, bounds }: SearchContext, own: ReadonlyMap<string, OwnConversation>, query: Query,
  scanned: readonly LogRow[], from: Place | undefined, limit: number, budget: Budget
): Promise<Shown> {
  const rows: LogRow[] = []
  const waiting: Candidate[] = scanned.map(row => ({ place: placeOf(row), row }))
  let next: Place | undefined
  for await (const { postings, through } of findPostings(
    index, [...own.values()], query, from, bounds, givingWay(chat.log)
  )) {
    const stretch = inOrder(waiting, postings, through)
    for (let at = 0; at < stretch.length; at += candidatesAtOnce) {
      const some = stretch.slice(at, at + candidatesAtOnce)
      const stored = await rowsOf(chat.log.collections.rows, some)
      for (const candidate of some) {
        const row = 'row' in candidate ? candidate.row : stored.get(candidate.place.id)
        if (row !== undefined && await isHit(own, query, row, candidate, budget)) {
          if (rows.length === limit) return { rows, next: placeOf(rows.at(-1)!) }
          rows.push(row)
        }
        if (budget.isSpent) return { rows, next: candidate.place }
      }
    }
    next = through
  }
  return { rows, next }
}

/** Takes those out of `waiting` that lie in the stretch, and adds the postings of messages that are not among them. */
function inOrder (waiting: Candidate[], postings: readonly Posting[], through: Place | undefined): Candidate[] {
  const isInside = ({ place }: Candidate) => through === undefined || comparePlaces(place, through) <= 0
  const inside = waiting.filter(isInside)
  const outside = waiting.filter(candidate => !isInside(candidate))
  waiting.splice(0, waiting.length, ...outside)
  const known = new Set(inside.map(({ place }) => place.id))
  for (const posting of postings) {
    const id = posting._id.toHexString()
    if (!known.has(id)) inside.push({ place: { time: posting.t.getTime(), id }, posting })
  }
  return inside.sort((a, b) => comparePlaces(a.place, b.place))
}

async function rowsOf (
  collection: SearchContext['chat']['log']['collections']['rows'], candidates: readonly Candidate[]
): Promise<Map<string, LogRow>> {
  const ids = candidates.flatMap((candidate): ObjectId[] => 'posting' in candidate ? [candidate.posting._id] : [])
  if (ids.length === 0) return new Map()
  const rows = await collection.find({ _id: { $in: ids } }).batchSize(ids.length + 1).toArray()
  return new Map(rows.map(row => [row._id.toHexString(), row]))
}

async function isHit (
  own: ReadonlyMap<string, OwnConversation>, query: Query, row: LogRow, candidate: Candidate, budget: Budget
): Promise<boolean> {
  if ('row' in candidate) return true
  const view = own.get(row.conversationId)?.view
  if (view === undefined || !isShown(view, row) || !matchesFilters(query, row)) return false
  if (query.isDecidedByTerms && candidate.posting.r === row.rev) return true
  await budget.take(row.message?.length ?? 0)
  return matchesText(query, row.message ?? '')
}

/** The payloads of rows of any conversations, in the order of the rows. */
async function pageOf (
  { chat }: SearchContext, identity: Identity, rows: readonly LogRow[], next: SearchCursor | undefined
): Promise<SearchPage> {
  const byConversation = new Map<string, LogRow[]>()
  for (const row of rows) byConversation.set(row.conversationId, [...byConversation.get(row.conversationId) ?? [], row])
  const messages = new Map<string, Message>()
  await Promise.all(Array.from(byConversation.values(), async some => {
    for (const message of await loadMessagePayloads(chat, some, identity)) messages.set(message._id, message)
  }))
  return {
    messages: rows.map(({ _id }) => messages.get(_id.toHexString())!),
    hasMore: next !== undefined,
    cursor: next === undefined ? null : writeCursor(next)
  }
}
