import type { Head } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { commonChatId, prefixes } from '../rules/conversation-id.ts'
import { type Viewer, readViewerAndMemberships } from '../access/caller-view.ts'
import type { Memberships, OwnMember } from '../directories/membership-directory.ts'
import { mentionsMax } from '../directories/mention-counts.ts'
import { unreadMax } from '../directories/unread-counter.ts'
import { viewOf } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'

/** Unread messages of others: exact up to 1,000; above that, marked as more. */
export interface Unread {
  unreadCount: number
  unreadCountCapped?: true
}

/** Includes the unread messages that mention the user: exact up to 100 in a conversation, and marked above that. */
export interface UnreadWithMentions extends Unread {
  mentionCount: number
  mentionCountCapped?: true
}

/** A conversation whose messages are counted. The common chat has no members. */
export interface Countable {
  head: Head
  member: OwnMember | undefined
  readSeq: number
}

/** The user's conversations of one kind, or all. The common chat is among them once it has a message. */
export async function withHeads (
  { log }: ChatContext, { byConversation, commonReadSeq }: Memberships, kind?: 'direct' | 'room' | 'common'
): Promise<Countable[]> {
  const ids: string[] = []
  if (kind !== 'common') {
    for (const id of byConversation.keys()) if (kind === undefined || id.startsWith(prefixes[kind])) ids.push(id)
  }
  if (kind === undefined || kind === 'common') ids.push(commonChatId)
  const heads = await log.heads(ids)
  const found: Countable[] = []
  for (const head of heads.values()) {
    const member = byConversation.get(head._id)
    if (head.deleted !== true) found.push({ head, member, readSeq: member?.readSeq ?? commonReadSeq })
  }
  return found
}

/**
 * Unread messages of each of the caller's conversations, in the order of `all`. Hidden messages do not count. In the
 * common chat only mentions count.
 */
export async function countUnread (
  context: ChatContext, identity: Identity, viewer: Viewer, all: readonly Countable[]
): Promise<UnreadWithMentions[]> {
  const counts: UnreadWithMentions[] = []
  const waiting: Array<Promise<void>> = []
  for (const [index, one] of all.entries()) {
    const count = countOne(context, identity, viewer, one)
    // A promise costs more than a cached count.
    if (!(count instanceof Promise)) counts[index] = count
    else waiting.push(count.then(found => { counts[index] = found }))
  }
  if (waiting.length > 0) await Promise.all(waiting)
  return counts
}

function countOne (
  { unread, mentions }: ChatContext,
  identity: Identity,
  { selfHead, blocked }: Viewer,
  { head, member, readSeq }: Countable
): UnreadWithMentions | Promise<UnreadWithMentions> {
  const view = viewOf(head, member, selfHead, blocked)
  if (view === null) return unreadOf(0, 0)
  const count = member === undefined ? 0 : unread.peek(identity, head, readSeq, view)
  const mentionCount = mentions.peek(identity, head, readSeq, view)
  if (count !== undefined && mentionCount !== undefined) return unreadOf(count, mentionCount)
  return Promise.all([
    count ?? unread.count(identity, head, readSeq, view), mentionCount ?? mentions.count(identity, head, readSeq, view)
  ]).then(([count, mentionCount]) => unreadOf(count, mentionCount))
}

function unreadOf (count: number, mentionCount: number): UnreadWithMentions {
  return {
    ...(count > unreadMax ? { unreadCount: unreadMax, unreadCountCapped: true } : { unreadCount: count }),
    ...(mentionCount > mentionsMax ? { mentionCount: mentionsMax, mentionCountCapped: true } : { mentionCount })
  }
}

/** Unread messages of all the caller's conversations. Conversations without any are left out. */
export async function readUnreadCounts (
  context: ChatContext, identity: Identity
): Promise<UnreadWithMentions & Record<'conversations' | 'mentions', Record<string, number>>> {
  const viewer = await readViewerAndMemberships(context, identity)
  const all = await withHeads(context, viewer.memberships)
  const counts = await countUnread(context, identity, viewer, all)
  const counted = (count: (of: UnreadWithMentions) => number) => Object.fromEntries(
    all.flatMap(({ head }, index) => count(counts[index]!) === 0 ? [] : [[head._id, count(counts[index]!)] as const])
  )
  return {
    ...sumUnread(counts),
    mentionCount: counts.reduce((sum, { mentionCount }) => sum + mentionCount, 0),
    ...(counts.some(({ mentionCountCapped }) => mentionCountCapped === true) ? { mentionCountCapped: true } : {}),
    conversations: counted(({ unreadCount }) => unreadCount),
    mentions: counted(({ mentionCount }) => mentionCount)
  }
}

export function sumUnread (counts: readonly Unread[]): Unread {
  const unreadCount = counts.reduce((sum, each) => sum + each.unreadCount, 0)
  return counts.some(({ unreadCountCapped }) => unreadCountCapped === true)
    ? { unreadCount, unreadCountCapped: true }
    : { unreadCount }
}
