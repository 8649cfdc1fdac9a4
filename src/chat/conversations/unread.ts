import type { Filter } from 'mongodb'
import type { Head, Member } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { commonChatId } from '../rules/conversation-id.ts'
import { commonReadSeq } from './common-read.ts'
import { blockedSenders } from '../access/caller-view.ts'
import { unreadMax } from '../directories/unread-counter.ts'
import { viewOf } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'

/** Conversations of a user, with where they end and how far they are read. */
export interface MemberAndHead {
  member: Member
  head: Head
}

/** Messages of others that are not read: exact up to 1,000, and then told to be more. */
export interface Unread {
  unreadCount: number
  unreadCountCapped?: true
}

/** And those of them that mention the user, at most 100 in a conversation. */
export interface UnreadWithMentions extends Unread {
  mentionCount: number
}

/** Which conversation ids a kind has. */
const ranges = { direct: { $gte: 'dm_', $lt: 'dm`' }, room: { $gte: 'room_', $lt: 'room`' } } as const

/** @param kind conversations of one kind, or all; the common chat has no members */
export async function readMemberships ({ log }: ChatContext, { id }: Identity, kind: 'direct' | 'room' | 'all'): Promise<MemberAndHead[]> {
  const filter: Filter<Member> = kind === 'all' ? { userId: id } : { userId: id, conversationId: ranges[kind] }
  const members = await log.collections.members.find(filter).toArray()
  const heads = await log.heads(members.map(({ conversationId }) => conversationId))
  return members.flatMap(member => {
    const head = heads.get(member.conversationId)
    return head === undefined || head.deleted === true ? [] : [{ member, head }]
  })
}

/** A conversation whose messages are counted; `readSeq` is that of the common chat, which has no members. */
export interface Countable {
  head: Head
  member: Member | undefined
  readSeq?: number
}

/**
 * Unread messages of each of the caller's conversations, in their order; what is not shown does not count, and nothing is
 * unread in the common chat, where only mentions count.
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

/** Unread messages of all the caller's conversations; those without any are left out. */
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
