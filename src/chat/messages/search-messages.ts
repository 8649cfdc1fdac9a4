import { setImmediate as nextTurn } from 'node:timers/promises'
import { TidelogError } from '../../errors.ts'
import { indexNames } from '../../log/model/collections.ts'
import { messagesBefore } from '../../log/read/page.ts'
import { type Head, type LogRow, type Member, type Seq, seqOf } from '../../log/model/types.ts'
import type { Message } from '../../schemas/message.ts'
import type { ChatContext } from '../context.ts'
import { requireAccess } from '../access/access.ts'
import { loadMessagePayloads } from '../payload/load-payloads.ts'
import { callerView } from '../access/caller-view.ts'
import { isShown } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Search has no index of words, which would slow down every send. Each call reads a bounded number of the caller's
 * messages and returns a cursor. So the cost of a call does not grow with the history, and a client that continues
 * misses nothing.
 */

/** Messages that one call reads. */
const rowsMax = 2_000
/** Messages that one query reads. */
const rowsAtOnce = 100
/** Characters after which the search yields to other work: folding them takes some milliseconds. */
const charsInTurn = 20_000
/** Conversations that one call searches. */
const conversationsMax = 200

export interface SearchInput {
  q: string
  /** Searches this conversation only. */
  conversationId?: string
  limit?: number
  /** The `cursor` of the previous call. */
  cursor?: string
}

export interface SearchPage {
  /** Conversation by conversation, the newest message of each first. */
  messages: Message[]
  /** Some messages were not searched yet. */
  hasMore: boolean
  /** Pass it to the next call; null at the end. */
  cursor: string | null
}

/** The search continues in this conversation, before this seq. */
interface SearchCursor {
  conversationId: string
  before: Seq | undefined
}

interface SearchTarget {
  head: Head
  member: Member | undefined
  before: Seq | undefined
}

/**
 * Finds messages that contain all the words, ignoring case and also inside longer words, in the caller's direct
 * conversations and rooms.
 * @throws TidelogError VALIDATION, BAD_CURSOR, NOT_FOUND, NOT_ALLOWED, RATE_LIMITED
 */
export async function searchMessages (context: ChatContext, identity: Identity, { q, conversationId, limit = 20, cursor }: SearchInput): Promise<SearchPage> {
  const words = wordsOf(q)
  if (words.length === 0) throw new TidelogError('VALIDATION', 'q must contain a word')
  const from = cursor === undefined ? undefined : readPlace(cursor)
  context.countSearch(identity.userId)
  const { places, next } = conversationId === undefined
    ? await ownConversations(context, identity, from)
    : { places: await oneConversation(context, identity, conversationId, from), next: undefined }

  const found: LogRow[] = []
  const budget = new Budget(context.limits.searchCharsMax)
  for (const { head, member, before } of places) {
    const view = await callerView(context, identity, head, member)
    if (view === null) continue
    for (let end = before, hasMore = true; hasMore;) {
      if (budget.isSpent || found.length >= limit) return await pageOf(context, identity, found, { conversationId: head._id, before: end })
      const page = await messagesBefore(context.log.collections, head._id, end, Math.min(rowsAtOnce, budget.rows))
      for (const stored of page.rows) {
        const row = stored.decode()
        end = row.seq!
        if (budget.take(row.message?.length ?? 0)) await nextTurn()
        if (row.message !== undefined && isShown(view, row) && matches(row.message, words)) found.push(row)
        if (found.length >= limit || budget.isSpent) break
      }
      const last = page.rows.at(-1)?.seq
      hasMore = last !== undefined && (page.hasMore || end !== last) && end! > view.afterSeq + 1
    }
  }
  return await pageOf(context, identity, found, next)
}

/**
 * The messages that one call may still read. The current message is always searched, so that every call makes progress.
 */
class Budget {
  rows = rowsMax
  private chars: number
  private inTurn = 0

  /** @param charsMax 0: unlimited */
  constructor (charsMax: number) {
    this.chars = charsMax === 0 ? Infinity : charsMax
  }

  /** Counts a message. @returns true: yield to other work now */
  take (chars: number): boolean {
    this.rows--
    this.chars -= chars
    this.inTurn += chars
    if (this.inTurn < charsInTurn) return false
    this.inTurn = 0
    return true
  }

  get isSpent (): boolean {
    return this.rows <= 0 || this.chars <= 0
  }
}

/** Some of the caller's conversations by id, beginning with the one in which the previous call stopped. */
async function ownConversations (
  { log }: ChatContext, { id }: Identity, from: SearchCursor | undefined
): Promise<{ places: SearchTarget[], next: SearchCursor | undefined }> {
  const members = await log.collections.members.find({ userId: id, ...(from === undefined ? {} : { conversationId: { $gte: from.conversationId } }) })
    .sort({ userId: 1, conversationId: 1 }).hint(indexNames.byMember).limit(conversationsMax + 1).batchSize(conversationsMax + 2).toArray()
  const heads = await log.heads(members.map(({ conversationId }) => conversationId))
  const places = members.slice(0, conversationsMax).flatMap((member): SearchTarget[] => {
    const head = heads.get(member.conversationId)
    return head === undefined ? [] : [{ head, member, before: from?.conversationId === head._id ? from.before : undefined }]
  })
  const last = members[conversationsMax]
  return { places, next: last === undefined ? undefined : { conversationId: last.conversationId, before: undefined } }
}

async function oneConversation (context: ChatContext, identity: Identity, conversationId: string, from: SearchCursor | undefined): Promise<SearchTarget[]> {
  const { ref, head, member } = await requireAccess(context, identity, conversationId)
  if (from !== undefined && from.conversationId !== ref.conversationId) throw new TidelogError('BAD_CURSOR')
  return head === undefined ? [] : [{ head, member, before: from?.before }]
}

async function pageOf (context: ChatContext, identity: Identity, rows: readonly LogRow[], next: SearchCursor | undefined): Promise<SearchPage> {
  const byConversation = new Map<string, LogRow[]>()
  for (const row of rows) byConversation.set(row.conversationId, [...byConversation.get(row.conversationId) ?? [], row])
  const messages = await Promise.all([...byConversation.values()].map(some => loadMessagePayloads(context, some, identity)))
  return { messages: messages.flat(), hasMore: next !== undefined, cursor: next === undefined ? null : writePlace(next) }
}

function wordsOf (text: string): string[] {
  return folded(text).split(/\s+/u).filter(word => word !== '')
}

function matches (message: string, words: readonly string[]): boolean {
  const text = folded(message)
  return words.every(word => text.includes(word))
}

function folded (text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

function writePlace ({ conversationId, before }: SearchCursor): string {
  return `${conversationId}~${before ?? ''}`
}

function readPlace (text: string): SearchCursor {
  const match = /^([A-Za-z0-9_.:-]{1,80})~([0-9]{0,15})$/.exec(text)
  if (match === null) throw new TidelogError('BAD_CURSOR')
  return { conversationId: match[1]!, before: match[2] === '' ? undefined : seqOf(Number(match[2])) }
}
