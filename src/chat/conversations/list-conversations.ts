import { TidelogError } from '../../errors.ts'
import { firstOf } from '../../lib/first-of.ts'
import { JsonBytes } from '../../lib/json-bytes.ts'
import type { OwnSettings } from '../../log/model/types.ts'
import type { ConversationQuery, ListedConversation } from '../../schemas/conversation.ts'
import type { DirectMessage } from '../../schemas/message.ts'
import type { ChatContext } from '../context.ts'
import { describeConversations } from './describe-conversations.ts'
import { lastActivityOf } from './last-activity.ts'
import { readViewerAndMemberships } from '../access/caller-view.ts'
import type { Description } from '../directories/description-cache.ts'
import { type Countable, type Unread, withHeads } from './unread.ts'
import { afterSeqOf, viewOf } from '../rules/view.ts'
import type { PublicUser } from '../../users/public-user.ts'
import type { Identity } from '../../users/identity.ts'

export interface ConversationPage<Listed = Description> {
  conversations: Listed[]
  hasMore: boolean
  /** Pass it to the next call; null on the last page. */
  next: string | null
}

/**
 * The caller's conversations of every kind: pinned ones first, then the most recently active.
 * @throws TidelogError BAD_CURSOR
 */
export async function listConversations (
  context: ChatContext, identity: Identity, { kind, archived, after, limit = 30 }: ConversationQuery
): Promise<ConversationPage> {
  const isAsked = ({ settings }: Candidate) => archived === undefined || (settings?.archived === true) === archived
  return await pageOf(context, identity, { kind, isAsked, after, limit })
}

/** Responses are written here; use it only within one tick. */
const out = new JsonBytes()

/** The body of the response with a page, in UTF-8. */
export function writeConversationList ({ conversations, hasMore, next }: ConversationPage): Buffer {
  out.clear()
  out.ascii('{"success":true,"conversations":[')
  for (const [index, { json }] of conversations.entries()) {
    if (index > 0) out.ascii(',')
    out.bytes(json)
  }
  out.ascii(`],"hasMore":${String(hasMore)},"next":${JSON.stringify(next)}}`)
  return out.copy()
}

export interface DirectConversation extends Unread {
  conversationId: string
  user: PublicUser
  lastMessage: DirectMessage
}

/**
 * The caller's direct conversations that have a message, for the route of legacy clients.
 * @throws TidelogError BAD_CURSOR
 */
export async function listDirect (
  context: ChatContext, identity: Identity, { after, limit = 30 }: { after?: string, limit?: number }
): Promise<ConversationPage<DirectConversation>> {
  const isAsked = ({ one: { head, member } }: Candidate) => head.headSeq > afterSeqOf(head, member)
  const { conversations, ...page } = await pageOf(context, identity, { kind: 'direct', isAsked, after, limit })
  const written = conversations.flatMap(({ listed }) =>
    listed.lastMessage === null ? [] : [listed as ListedConversation & DirectConversation]
  )
  return { ...page, conversations: written }
}

/** A place in the list. The conversation id decides between equal times. */
interface ListCursor {
  isPinned: boolean
  /** Milliseconds since 1970. */
  time: number
  id: string
}

/** A conversation that may be on the page. */
interface Candidate extends ListCursor {
  one: Countable
  settings: OwnSettings | undefined
}

interface Wanted {
  kind: ConversationQuery['kind']
  isAsked: (candidate: Candidate) => boolean
  after: string | undefined
  limit: number
}

async function pageOf (
  context: ChatContext, identity: Identity, { kind, isAsked, after, limit }: Wanted
): Promise<ConversationPage> {
  const from = after === undefined ? undefined : readPlace(after)
  const viewer = await readViewerAndMemberships(context, identity)
  const { selfHead, blocked, memberships } = viewer
  const [all, settings] = await Promise.all([
    withHeads(context, memberships, kind), context.settings.of(identity.userId, selfHead)
  ])
  const behind: Candidate[] = []
  for (const one of all) {
    const candidate = candidateOf(one, settings.get(one.head._id))
    if (isAsked(candidate) && (from === undefined || compare(candidate, from) > 0)) behind.push(candidate)
  }
  const page = firstOf(behind, limit, compare)
  const last = page.at(-1)
  const hasMore = behind.length > limit
  const own = page.map(({ one: { head, member, readSeq }, settings }) =>
    ({ head, member, readSeq, settings, view: viewOf(head, member, selfHead, blocked)! }))
  return {
    conversations: await describeConversations(context, identity, viewer, own),
    hasMore,
    next: hasMore && last !== undefined ? writePlace(last) : null
  }
}

function candidateOf (one: Countable, settings: OwnSettings | undefined): Candidate {
  const time = lastActivityOf(one.head, one.member).getTime()
  return { isPinned: settings?.pinnedAt !== undefined, time, id: one.head._id, one, settings }
}

const compare = (a: ListCursor, b: ListCursor): number =>
  Number(b.isPinned) - Number(a.isPinned) || b.time - a.time || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

const writePlace = ({ isPinned, time, id }: ListCursor): string => `${isPinned ? 'p' : 'n'}${time.toString(36)}-${id}`

function readPlace (text: string): ListCursor {
  const match = /^([pn])([0-9a-z]{1,10})-([A-Za-z0-9_.:-]{1,80})$/.exec(text)
  if (match === null) throw new TidelogError('BAD_CURSOR')
  return { isPinned: match[1] === 'p', time: parseInt(match[2]!, 36), id: match[3]! }
}
