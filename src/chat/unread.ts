import type { Filter } from 'mongodb'
import type { Identity } from '../auth/identity.ts'
import { type Head, type Member, selfLogId } from '../log/types.ts'
import type { ChatContext } from './context.ts'
import { unreadMax } from './unread-counts.ts'
import { viewOf } from './view.ts'

/** Conversations of a user, with where they end and how far they are read. */
export interface Membership {
  member: Member
  head: Head
}

/** Messages of others that are not read: exact up to 1,000, and then told to be more. */
export interface Unread {
  unreadCount: number
  unreadCountCapped?: true
}

/** @param kind direct conversations only, or all */
export async function memberships ({ log }: ChatContext, { id }: Identity, kind: 'direct' | 'all'): Promise<Membership[]> {
  const filter: Filter<Member> = kind === 'direct' ? { userId: id, conversationId: { $gte: 'dm_', $lt: 'dm`' } } : { userId: id }
  const members = await log.collections.members.find(filter).toArray()
  const heads = await log.heads(members.map(({ conversationId }) => conversationId))
  return members.flatMap(member => {
    const head = heads.get(member.conversationId)
    return head === undefined || head.deleted === true ? [] : [{ member, head }]
  })
}

/** Unread messages of each of the caller's conversations, in their order; what is not shown does not count. */
export async function countUnread (context: ChatContext, identity: Identity, all: readonly Membership[]): Promise<Unread[]> {
  const selfHead = await context.log.head(selfLogId(identity.id))
  const blocked = await context.blocks.at(identity.userId, selfHead)
  return await Promise.all(all.map(async ({ head, member }): Promise<Unread> => {
    const view = viewOf(head, member, selfHead, blocked)
    const count = view === null ? 0 : await context.unread.of(identity, head, member, view)
    return count > unreadMax ? { unreadCount: unreadMax, unreadCountCapped: true } : { unreadCount: count }
  }))
}

/** Unread messages of all the caller's conversations; those without any are left out. No positions are kept in the common chat. */
export async function unreadCounts (context: ChatContext, identity: Identity): Promise<Unread & { conversations: Record<string, number> }> {
  const all = await memberships(context, identity, 'all')
  const counts = await countUnread(context, identity, all)
  const unread = all.flatMap(({ head }, index) => counts[index]!.unreadCount === 0 ? [] : [[head._id, counts[index]!.unreadCount] as const])
  return { ...sumOf(counts), conversations: Object.fromEntries(unread) }
}

export function sumOf (counts: readonly Unread[]): Unread {
  const unreadCount = counts.reduce((sum, each) => sum + each.unreadCount, 0)
  return counts.some(({ unreadCountCapped }) => unreadCountCapped === true) ? { unreadCount, unreadCountCapped: true } : { unreadCount }
}
