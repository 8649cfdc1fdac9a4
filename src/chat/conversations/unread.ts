import type { Filter } from 'mongodb'
import type { Head, Member } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { commonChatId } from '../rules/conversation-id.ts'
import { commonReadSeq } from './common-read.ts'
import { blockedSenders } from '../access/caller-view.ts'
import { unreadMax } from '../directories/unread-counter.ts'
import { viewOf } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'

/** A user's memberships, with the heads of their conversations. */
export interface MemberAndHead {
  member: Member
  head: Head
}

/** Unread messages of others: exact up to 1,000; above that, marked as more. */
export interface Unread {
  unreadCount: number
  unreadCountCapped?: true
}

/** Includes the unread messages that mention the user, at most 100 in a conversation. */
export interface UnreadWithMentions extends Unread {
  mentionCount: number
}

/** The range of conversation ids of each kind. */
const ranges = { direct: { $gte: 'dm_', $lt: 'dm`' }, room: { $gte: 'room_', $lt: 'room`' } } as const

/** @param kind conversations of one kind, or all; never the common chat, which has no members */
export async function readMemberships ({ log }: ChatContext, { id }: Identity, kind: 'direct' | 'room' | 'all'): Promise<MemberAndHead[]> {
  const filter: Filter<Member> = kind === 'all' ? { userId: id } : { userId: id, conversationId: ranges[kind] }
  const members = await log.collections.members.find(filter).toArray()
  const heads = await log.heads(members.map(({ conversationId }) => conversationId))
  return members.flatMap(member => {
    const head = heads.get(member.conversationId)
    return head === undefined || head.deleted === true ? [] : [{ member, head }]
  })
}

/** A conversation whose messages are counted. `readSeq` is for the common chat, which has no members. */
export interface Countable {
  head: Head
  member: Member | undefined
  readSeq?: number
}

/**
 * Unread messages of each of the caller's conversations, in the order of `all`. Hidden messages do not count. In the
 * common chat only mentions count.
 */
export async function countUnread (context: ChatContext, identity: Identity, all: readonly Countable[]): Promise<UnreadWithMentions[]> {
  const { selfHead, blocked } = await blockedSenders(context, identity)
  return await Promise.all(all.map(async ({ head, member, readSeq = 0 }): Promise<UnreadWithMentions> => {
    const view = viewOf(head, member, selfHead, blocked)
    if (view === null) return { unreadCount: 0, mentionCount: 0 }
    const [count, mentionCount] = await Promise.all([
      member === undefined ? 0 : context.unread.count(identity, head, member, view),
      context.mentions.of(identity, head, member?.readSeq ?? readSeq, view)
    ])
    return count > unreadMax ? { unreadCount: unreadMax, unreadCountCapped: true, mentionCount } : { unreadCount: count, mentionCount }
  }))
}

/** Unread messages of all the caller's conversations. Conversations without any are left out. */
export async function readUnreadCounts (context: ChatContext, identity: Identity): Promise<UnreadWithMentions & Record<'conversations' | 'mentions', Record<string, number>>> {
  const [mine, common, readSeq] = await Promise.all([readMemberships(context, identity, 'all'), context.log.head(commonChatId), commonReadSeq(context, identity)])
  const all = [...mine, ...common === undefined ? [] : [{ head: common, member: undefined, readSeq }]]
  const counts = await countUnread(context, identity, all)
  const counted = (count: (of: UnreadWithMentions) => number) =>
    Object.fromEntries(all.flatMap(({ head }, index) => count(counts[index]!) === 0 ? [] : [[head._id, count(counts[index]!)] as const]))
  return {
    ...sumUnread(counts),
    mentionCount: counts.reduce((sum, { mentionCount }) => sum + mentionCount, 0),
    conversations: counted(({ unreadCount }) => unreadCount),
    mentions: counted(({ mentionCount }) => mentionCount)
  }
}

export function sumUnread (counts: readonly Unread[]): Unread {
  const unreadCount = counts.reduce((sum, each) => sum + each.unreadCount, 0)
  return counts.some(({ unreadCountCapped }) => unreadCountCapped === true) ? { unreadCount, unreadCountCapped: true } : { unreadCount }
}
