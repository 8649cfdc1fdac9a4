import { messagesBefore } from '../../log/read/page.ts'
import type { LogRow, OwnSettings } from '../../log/model/types.ts'
import type { ListedConversation } from '../../schemas/conversation.ts'
import type { ChatContext } from '../context.ts'
import { otherUser, parseConversationId } from '../rules/conversation-id.ts'
import { requireAccess } from '../access/access.ts'
import { type Viewer, readViewer } from '../access/caller-view.ts'
import { Description, type NamedRows } from '../directories/description-cache.ts'
import { commonReadSeq } from '../directories/membership-directory.ts'
import { loadMessagePayload } from '../payload/load-payloads.ts'
import { type References, loadReferences } from '../payload/message-payload.ts'
import { TidelogError } from '../../errors.ts'
import { type Countable, type UnreadWithMentions, countUnread } from './unread.ts'
import { type View, isShown, viewOf } from '../rules/view.ts'
import { settingsPayload } from './settings-payload.ts'
import { lastActivityOf } from './last-activity.ts'
import { publicUser } from '../../users/public-user.ts'
import type { Identity } from '../../users/identity.ts'

/** A conversation of the caller. */
export interface OwnConversation extends Countable {
  view: View
  settings: OwnSettings | undefined
}

/** Messages that are searched for a visible one, if the last one is hidden. */
const lookedThroughMax = 50

/**
 * One of the caller's conversations.
 * @throws TidelogError NOT_FOUND to a stranger and for a conversation without messages, NOT_ALLOWED for a public room
 * that the caller has not joined
 */
export async function getConversation (
  context: ChatContext, identity: Identity, conversationId: string
): Promise<ListedConversation> {
  const { head, member } = await requireAccess(context, identity, conversationId)
  const viewer = await readViewer(context, identity)
  const view = head === undefined ? null : viewOf(head, member, viewer.selfHead, viewer.blocked)
  if (head === undefined || view === null) throw new TidelogError('NOT_FOUND')
  const [settings, readSeq] = await Promise.all([
    context.settings.of(identity.userId, viewer.selfHead),
    member?.readSeq ?? commonReadSeq(context.log, identity.userId)
  ])
  const own = { head, member, readSeq, view, settings: settings.get(head._id) }
  return (await describeAnew(context, identity, viewer, [own]))[0]!.description.listed
}

/** The conversations as a list shows them. Those that have not changed since the last call are not described again. */
export async function describeConversations (
  context: ChatContext, identity: Identity, viewer: Viewer, all: readonly OwnConversation[]
): Promise<Description[]> {
  const known = await context.descriptions.get(identity.userId, viewer.selfHead, all)
  const missing = all.filter((_, index) => known[index] === undefined)
  const made = missing.length === 0 ? [] : await describeAnew(context, identity, viewer, missing)
  for (const [index, { description, named }] of made.entries()) {
    if (named.isCached) context.descriptions.set(identity.userId, viewer.selfHead, missing[index]!, named, description)
  }
  let next = 0
  return known.map(one => one ?? made[next++]!.description)
}

async function describeAnew (
  context: ChatContext, identity: Identity, viewer: Viewer, all: readonly OwnConversation[]
): Promise<Array<{ description: Description, named: NamedRows & { isCached: boolean } }>> {
  const [counts, rows] = await Promise.all([countUnread(context, identity, viewer, all), readLastRows(context, all)])
  return await Promise.all(all.map(async (one, index) => {
    const row = rows[index]
    // Loaded first: if one of them changes from now on, the description is made again next time.
    const named = await namedIn(context, one, row)
    const lastMessage = row === undefined ? null : await loadMessagePayload(context, row, identity)
    const described = describe(context, identity, one, named, { ...counts[index]!, lastMessage })
    return { description: new Description(described), named }
  }))
}

/** The users and listings that a description names, and whether the directories have them all now. */
async function namedIn (
  context: ChatContext, { head }: OwnConversation, row: LogRow | undefined
): Promise<NamedRows & { isCached: boolean }> {
  const ref = parseConversationId(head._id)
  const users = ref?.kind === 'direct' ? ref.userIds : row === undefined ? [] : [row.senderId!.toHexString()]
  const ids = users.map(senderId => ({ senderId }))
  const named = await loadReferences(context, row === undefined ? ids : [...ids, row])
  const isCached = users.every(id => named.users.has(id) && context.users.peek(id) === named.users.get(id)) &&
    [...named.listings].every(([id, listing]) => context.listings.peek(id) === listing)
  return { users: new Map(named.users), listings: new Map(named.listings), isCached }
}

type ConversationState = UnreadWithMentions & Pick<ListedConversation, 'lastMessage'>

function describe (
  context: ChatContext, identity: Identity, one: OwnConversation, named: References, state: ConversationState
): ListedConversation {
  const { head, member, readSeq, view, settings } = one
  return {
    conversationId: head._id,
    kind: head.kind as ListedConversation['kind'],
    ...namesOf(identity, one, named),
    rev: head.headRev,
    cursor: context.log.cursors.encode(identity.userId, head._id, {
      rev: head.headRev, clock: head.clock.getTime(), generation: view.generation
    }),
    lastActivityAt: lastActivityOf(head, member).toISOString(),
    ...state,
    readSeq,
    settings: settingsPayload(settings)
  }
}

/** The other user of a direct conversation; the name of a room, and the caller's role in it. */
function namesOf (
  { userId }: Identity, { head, member }: OwnConversation, { users }: References
): Partial<ListedConversation> {
  const ref = parseConversationId(head._id)
  if (ref?.kind === 'direct') {
    const other = otherUser(ref, userId) ?? userId
    return { user: publicUser(other, users.get(other)) }
  }
  if (ref?.kind !== 'room') return {}
  return {
    name: head.name ?? ref.roomId,
    topic: head.topic ?? null,
    picture: head.picture ?? null,
    memberCount: head.memberCount,
    ...(member === undefined ? {} : { role: member.role })
  }
}

/** The row of each conversation's last visible message, in the order of `all`. */
async function readLastRows (
  { log }: ChatContext, all: readonly OwnConversation[]
): Promise<Array<LogRow | undefined>> {
  const written = all.filter(({ head, view }) => head.headSeq > view.afterSeq)
  if (written.length === 0) return []
  const rows = await log.collections.rows
    .find({ $or: written.map(({ head }) => ({ conversationId: head._id, seq: head.headSeq })) })
    .batchSize(written.length + 1)
    .toArray()
  const byConversation = new Map(rows.map(row => [row.conversationId, row]))
  return await Promise.all(all.map(async one => {
    const row = byConversation.get(one.head._id)
    return row === undefined || isShown(one.view, row) ? row : await lastShown(log, one)
  }))
}

async function lastShown (
  { collections }: ChatContext['log'], { head, view }: OwnConversation
): Promise<LogRow | undefined> {
  const { rows } = await messagesBefore(collections, head._id, head.headSeq, lookedThroughMax)
  return rows.find(row => isShown(view, row))?.decode()
}
