import { TidelogError } from '../../errors.ts'
import type { ConversationQuery, ListedConversation } from '../../schemas/conversation.ts'
import type { DirectMessage } from '../../schemas/message.ts'
import type { ChatContext } from '../context.ts'
import { commonChatId } from '../rules/conversation-id.ts'
import { type OwnConversation, describeConversations } from './describe-conversations.ts'
import { lastActivityOf } from './last-activity.ts'
import { blockedSenders } from '../access/caller-view.ts'
import { type Unread, readMemberships } from './unread.ts'
import { viewOf } from '../rules/view.ts'
import type { PublicUser } from '../../users/public-user.ts'
import type { Identity } from '../../users/identity.ts'

export interface ConversationPage<Listed = ListedConversation> {
  conversations: Listed[]
  hasMore: boolean
  /** Pass it to the next call; null on the last page. */
  next: string | null
}

/**
 * The caller's conversations of every kind: pinned ones first, then the most recently active.
 * @throws TidelogError BAD_CURSOR
 */
export async function listConversations (context: ChatContext, identity: Identity, { kind, archived, after, limit = 30 }: ConversationQuery): Promise<ConversationPage> {
  const all = await ownConversations(context, identity, kind)
  const asked = archived === undefined ? all : all.filter(({ settings }) => (settings?.archived === true) === archived)
  return await pageOf(context, identity, asked, after, limit)
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
export async function listDirect (context: ChatContext, identity: Identity, { after, limit = 30 }: { after?: string, limit?: number }): Promise<ConversationPage<DirectConversation>> {
  const written = (await ownConversations(context, identity, 'direct')).filter(({ head, view }) => head.headSeq > view.afterSeq)
  const { conversations, ...page } = await pageOf(context, identity, written, after, limit)
  return { ...page, conversations: conversations.flatMap(one => one.lastMessage === null ? [] : [one as ListedConversation & DirectConversation]) }
}

async function ownConversations (context: ChatContext, identity: Identity, kind: ConversationQuery['kind']): Promise<OwnConversation[]> {
  const [{ selfHead, blocked }, mine, common] = await Promise.all([
    blockedSenders(context, identity),
    kind === 'common' ? [] : readMemberships(context, identity, kind ?? 'all'),
    kind === undefined || kind === 'common' ? context.log.head(commonChatId) : undefined
  ])
  const settings = await context.settings.of(identity.userId, selfHead)
  return [...mine, ...common === undefined ? [] : [{ head: common, member: undefined }]].flatMap(one => {
    const view = viewOf(one.head, one.member, selfHead, blocked)
    return view === null ? [] : [{ ...one, view, settings: settings.get(one.head._id) }]
  })
}

async function pageOf (context: ChatContext, identity: Identity, all: OwnConversation[], after: string | undefined, limit: number): Promise<ConversationPage> {
  const from = after === undefined ? undefined : readPlace(after)
  const behind = all
    .map(one => ({ ...one, place: placeOf(one) }))
    .filter(({ place }) => from === undefined || compare(place, from) > 0)
    .sort((a, b) => compare(a.place, b.place))
  const page = behind.slice(0, limit)
  const last = page.at(-1)
  const hasMore = behind.length > limit
  return {
    conversations: await describeConversations(context, identity, page),
    hasMore,
    next: hasMore && last !== undefined ? writePlace(last.place) : null
  }
}

/** A place in the list. The conversation id decides between equal times. */
interface ListCursor {
  isPinned: boolean
  /** Milliseconds since 1970. */
  time: number
  id: string
}

const placeOf = ({ head, member, settings }: OwnConversation): ListCursor => ({ isPinned: settings?.pinnedAt !== undefined, time: lastActivityOf(head, member).getTime(), id: head._id })

const compare = (a: ListCursor, b: ListCursor): number => Number(b.isPinned) - Number(a.isPinned) || b.time - a.time || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

const writePlace = ({ isPinned, time, id }: ListCursor): string => `${isPinned ? 'p' : 'n'}${time.toString(36)}-${id}`

function readPlace (text: string): ListCursor {
  const match = /^([pn])([0-9a-z]{1,10})-([A-Za-z0-9_.:-]{1,80})$/.exec(text)
  if (match === null) throw new TidelogError('BAD_CURSOR')
  return { isPinned: match[1] === 'p', time: parseInt(match[2]!, 36), id: match[3]! }
}
