import type { Identity } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import type { LogRow } from '../log/types.ts'
import type { DirectMessage } from '../schemas/message.ts'
import type { ChatContext } from './context.ts'
import { objectId, otherUser, parseConversationId } from './conversation-id.ts'
import { type PublicUser, publicUser } from './payload.ts'
import { renderMessage } from './render.ts'
import { type Membership, type Unread, countUnread, memberships } from './unread.ts'

export interface ListedConversation extends Unread {
  conversationId: string
  user: PublicUser
  lastMessage: DirectMessage
}

export interface ConversationPage {
  conversations: ListedConversation[]
  hasMore: boolean
  /** Goes into the next call; null when this is the last page. */
  next: string | null
}

interface Latest extends Membership {
  row: LogRow
}

/**
 * The caller's direct conversations, the one with the newest message first.
 * @param page `after` is the `next` of the page before
 * @throws TidelogError BAD_CURSOR
 */
export async function listConversations (context: ChatContext, identity: Identity, { after, limit = 30 }: { after?: string, limit?: number }): Promise<ConversationPage> {
  const from = after === undefined ? undefined : readPlace(after)
  const all = (await memberships(context, identity, 'direct'))
    .filter(({ head }) => head.headSeq > (head.purgedSeq ?? 0))
    .sort((a, b) => b.head.clock.getTime() - a.head.clock.getTime())
  const latest = await newest(context, all, from, limit + 1)
  const page = latest.slice(0, limit)
  const last = page.at(-1)
  const hasMore = latest.length > limit
  return {
    conversations: await describe(context, identity, page),
    hasMore,
    next: hasMore && last !== undefined ? writePlace(last) : null
  }
}

/**
 * The first `count` behind a place, by the time of the last message. A head's clock is never older than its last
 * message, so heads are looked at by falling clock until none of the rest can be among the first.
 */
async function newest ({ log }: ChatContext, all: readonly Membership[], from: Place | undefined, count: number): Promise<Latest[]> {
  let found: Latest[] = []
  for (let start = 0; start < all.length; start += count) {
    const [next] = all.slice(start, start + 1)
    const worst = found[count - 1]
    if (worst !== undefined && next !== undefined && worst.row.createdAt > next.head.clock) break
    const some = all.slice(start, start + count)
    const rows = await log.collections.log
      .find({ $or: some.map(({ head }) => ({ conversationId: head._id, seq: head.headSeq })) }).batchSize(count + 1).toArray()
    const byConversation = new Map(rows.map(row => [row.conversationId, row]))
    found = [...found, ...some.flatMap(membership => {
      const row = byConversation.get(membership.head._id)
      return row === undefined || (from !== undefined && compare(placeOf(row), from) <= 0) ? [] : [{ ...membership, row }]
    })].sort((a, b) => compare(placeOf(a.row), placeOf(b.row))).slice(0, count)
  }
  return found
}

async function describe (context: ChatContext, identity: Identity, page: readonly Latest[]): Promise<ListedConversation[]> {
  const counts = await countUnread(context, identity, page)
  return await Promise.all(page.map(async ({ head: { _id: conversationId }, row }, index) => {
    const ref = parseConversationId(conversationId)
    const other = ref?.kind === 'direct' ? otherUser(ref, identity.userId) ?? identity.userId : identity.userId
    const [user, lastMessage] = await Promise.all([context.users.get(other), renderMessage(context, row)])
    return { conversationId, user: publicUser(other, user), lastMessage: lastMessage as DirectMessage, ...counts[index]! }
  }))
}

/** A place in the list: the time of a last message, and its id where times are equal. */
interface Place {
  time: number
  id: string
}

const placeOf = (row: LogRow): Place => ({ time: row.createdAt.getTime(), id: row._id.toHexString() })

const compare = (a: Place, b: Place): number => b.time - a.time || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

function writePlace ({ row }: Latest): string {
  const { time, id } = placeOf(row)
  return `${time.toString(36)}-${id}`
}

function readPlace (text: string): Place {
  const match = /^([0-9a-z]{1,10})-([0-9a-f]{24})$/.exec(text)
  if (match === null) throw new TidelogError('BAD_CURSOR')
  return { time: parseInt(match[1]!, 36), id: objectId(match[2]!).toHexString() }
}
