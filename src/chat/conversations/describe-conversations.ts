import { messagesBefore } from '../../log/read/page.ts'
import { type Head, type LogRow, type Member, type OwnSettings, selfLogId } from '../../log/model/types.ts'
import type { ListedConversation } from '../../schemas/conversation.ts'
import type { Message } from '../../schemas/message.ts'
import type { ChatContext } from '../context.ts'
import { otherUser, parseConversationId } from '../rules/conversation-id.ts'
import { requireAccess } from '../access/access.ts'
import { callerView } from '../access/caller-view.ts'
import { loadMessagePayload } from '../payload/load-payloads.ts'
import { TidelogError } from '../../errors.ts'
import { type UnreadWithMentions, countUnread } from './unread.ts'
import { type View, isShown } from '../rules/view.ts'
import { commonReadSeq } from './common-read.ts'
import { settingsPayload } from './settings-payload.ts'
import { lastActivityOf } from './last-activity.ts'
import { publicUser } from '../../users/public-user.ts'
import type { Identity } from '../../users/identity.ts'

/** A conversation with the caller's membership. */
export interface OwnConversation {
  head: Head
  /** Undefined in the common chat. */
  member: Member | undefined
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
export async function getConversation (context: ChatContext, identity: Identity, conversationId: string): Promise<ListedConversation> {
  const { head, member } = await requireAccess(context, identity, conversationId)
  const view = head === undefined ? null : await callerView(context, identity, head, member)
  if (head === undefined || view === null) throw new TidelogError('NOT_FOUND')
  const settings = await context.settings.of(identity.userId, await context.log.head(selfLogId(identity.userId)))
  return (await describeConversations(context, identity, [{ head, member, view, settings: settings.get(head._id) }]))[0]!
}

/** The conversations as a list shows them. */
export async function describeConversations (context: ChatContext, identity: Identity, all: readonly OwnConversation[]): Promise<ListedConversation[]> {
  const readSeq = all.some(({ member }) => member === undefined) ? await commonReadSeq(context, identity) : 0
  const [counts, lastMessages] = await Promise.all([countUnread(context, identity, all.map(one => ({ ...one, readSeq }))), readLastMessages(context, identity, all)])
  return await Promise.all(all.map(async (one, index) => await describe(context, identity, one, { ...counts[index]!, readSeq: one.member?.readSeq ?? readSeq, lastMessage: lastMessages[index] ?? null })))
}

type ConversationState = UnreadWithMentions & Pick<ListedConversation, 'lastMessage' | 'readSeq'>

async function describe (context: ChatContext, identity: Identity, one: OwnConversation, state: ConversationState): Promise<ListedConversation> {
  const { head, member, view, settings } = one
  return {
    conversationId: head._id,
    kind: head.kind as ListedConversation['kind'],
    ...await namesOf(context, identity, one),
    rev: head.headRev,
    cursor: context.log.cursors.encode(identity.userId, head._id, { rev: head.headRev, clock: head.clock.getTime(), generation: view.generation }),
    lastActivityAt: lastActivityOf(head, member).toISOString(),
    ...state,
    settings: settingsPayload(settings)
  }
}

/** The other user of a direct conversation; the name of a room, and the caller's role in it. */
async function namesOf (context: ChatContext, { userId }: Identity, { head, member }: OwnConversation): Promise<Partial<ListedConversation>> {
  const ref = parseConversationId(head._id)
  if (ref?.kind === 'direct') {
    const other = otherUser(ref, userId) ?? userId
    return { user: publicUser(other, await context.users.get(other)) }
  }
  if (ref?.kind !== 'room') return {}
  return { name: head.name ?? ref.roomId, memberCount: head.memberCount, ...(member === undefined ? {} : { role: member.role }) }
}

/** The last visible message of each conversation, in the order of `all`. */
async function readLastMessages (context: ChatContext, identity: Identity, all: readonly OwnConversation[]): Promise<Array<Message | undefined>> {
  const written = all.filter(({ head, view }) => head.headSeq > view.afterSeq)
  if (written.length === 0) return []
  const rows = await context.log.collections.rows
    .find({ $or: written.map(({ head }) => ({ conversationId: head._id, seq: head.headSeq })) }).batchSize(written.length + 1).toArray()
  const byConversation = new Map(rows.map(row => [row.conversationId, row]))
  return await Promise.all(all.map(async one => {
    const row = byConversation.get(one.head._id)
    if (row === undefined) return undefined
    const shown = isShown(one.view, row) ? row : await lastShown(context, one)
    return shown === undefined ? undefined : await loadMessagePayload(context, shown, identity)
  }))
}

async function lastShown ({ log }: ChatContext, { head, view }: OwnConversation): Promise<LogRow | undefined> {
  const { rows } = await messagesBefore(log.collections, head._id, head.headSeq, lookedThroughMax)
  return rows.find(row => isShown(view, row))?.decode()
}
