import { TidelogError } from '../errors.ts'
import { callerView } from '../chat/access/caller-view.ts'
import { requireAccess } from '../chat/access/access.ts'
import type { ChatContext } from '../chat/context.ts'
import { isShown } from '../chat/rules/view.ts'
import { indexNames } from '../log/model/collections.ts'
import { type Head, type LogRow, type Member, type Seq, seqOf } from '../log/model/types.ts'
import { messagesBefore } from '../log/read/page.ts'
import type { SearchQuery } from '../schemas/message.ts'
import type { Identity } from '../users/identity.ts'
import { Budget } from './budget.ts'
import type { SearchContext } from './context.ts'
import { type SearchPage, pageOf } from './page.ts'
import { type Query, matchesFilters } from './query.ts'

/**
 * Search without an index (SEARCH=off). Each call reads a bounded number of the caller's messages and returns a cursor.
 * So the cost of a call does not grow with the history, and a client that continues misses nothing.
 */

/** Messages that one query reads. */
const rowsAtOnce = 100
/** Conversations that one call searches. */
const conversationsMax = 200

/** The search continues in this conversation, before this seq. */
interface SearchCursor {
  conversationId: string
  before: Seq | undefined
}

/** A conversation, and where its scan begins. */
interface ScanStart {
  head: Head
  member: Member | undefined
  before: Seq | undefined
}

/**
 * Finds messages that contain all the words, ignoring case and also inside longer words, in the caller's direct
 * conversations and rooms: conversation by conversation, the newest message of each first.
 * @throws TidelogError BAD_CURSOR, NOT_FOUND, NOT_ALLOWED, RATE_LIMITED
 */
export async function scanMessages (
  { chat: context, bounds, countSearch }: SearchContext, identity: Identity, query: Query,
  { q = '', conversationId, limit = 20, cursor }: SearchQuery
): Promise<SearchPage> {
  const words = wordsOf(q)
  const from = cursor === undefined ? undefined : readCursor(cursor)
  countSearch(identity.userId)
  const { conversations, next } = conversationId === undefined
    ? await ownConversations(context, identity, from)
    : { conversations: await oneConversation(context, identity, conversationId, from), next: undefined }

  const found: LogRow[] = []
  const budget = new Budget(bounds)
  for (const { head, member, before } of conversations) {
    const view = await callerView(context, identity, head, member)
    if (view === null) continue
    for (let end = before, hasMore = true; hasMore;) {
      if (budget.isSpent || found.length >= limit) {
        return await pageOf(context, identity, found, writeCursor({ conversationId: head._id, before: end }))
      }
      const page = await messagesBefore(context.log.collections, head._id, end, Math.min(rowsAtOnce, budget.rows))
      for (const stored of page.rows) {
        const row = stored.decode()
        end = row.seq!
        await budget.take(row.message?.length ?? 0)
        if (isShown(view, row) && matchesFilters(query, row) && matches(row.message ?? '', words)) found.push(row)
        if (found.length >= limit || budget.isSpent) break
      }
      const last = page.rows.at(-1)?.seq
      hasMore = last !== undefined && (page.hasMore || end !== last) && end! > view.afterSeq + 1
    }
  }
  return await pageOf(context, identity, found, next && writeCursor(next))
}

/** Some of the caller's conversations by id, beginning with the one in which the previous call stopped. */
async function ownConversations (
  { log }: ChatContext, { id }: Identity, from: SearchCursor | undefined
): Promise<{ conversations: ScanStart[], next: SearchCursor | undefined }> {
  const members = await log.collections.members.find({
    userId: id,
    ...(from === undefined ? {} : { conversationId: { $gte: from.conversationId } })
  })
    .sort({
      userId: 1,
      conversationId: 1
    }).hint(indexNames.byMember).limit(conversationsMax + 1).batchSize(conversationsMax + 2).toArray()
  const heads = await log.heads(members.map(({ conversationId }) => conversationId))
  const conversations = members.slice(0, conversationsMax).flatMap((member): ScanStart[] => {
    const head = heads.get(member.conversationId)
    return head === undefined
      ? []
      : [{
          head,
          member,
          before: from?.conversationId === head._id ? from.before : undefined
        }]
  })
  const last = members[conversationsMax]
  return { conversations, next: last && { conversationId: last.conversationId, before: undefined } }
}

async function oneConversation (
  context: ChatContext, identity: Identity, conversationId: string, from: SearchCursor | undefined
): Promise<ScanStart[]> {
  const { ref, head, member } = await requireAccess(context, identity, conversationId)
  if (from !== undefined && from.conversationId !== ref.conversationId) throw new TidelogError('BAD_CURSOR')
  return head === undefined ? [] : [{ head, member, before: from?.before }]
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

function writeCursor ({ conversationId, before }: SearchCursor): string {
  return `${conversationId}~${before ?? ''}`
}

function readCursor (text: string): SearchCursor {
  const match = /^([A-Za-z0-9_.:-]{1,80})~([0-9]{0,15})$/.exec(text)
  if (match === null) throw new TidelogError('BAD_CURSOR')
  return { conversationId: match[1]!, before: match[2] === '' ? undefined : seqOf(Number(match[2])) }
}
