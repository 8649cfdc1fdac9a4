import type { Filter } from 'mongodb'
import type { Identity } from '../auth/identity.ts'
import type { Head, Member } from '../log/types.ts'
import type { ChatContext } from './context.ts'
import { blockedSenders } from './own-view.ts'
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

/** Which conversation ids a kind has. */
const ranges = { direct: { $gte: 'dm_', $lt: 'dm`' }, room: { $gte: 'room_', $lt: 'room`' } } as const

/** @param kind conversations of one kind, or all; the common chat has no members */
export async function memberships ({ log }: ChatContext, { id }: Identity, kind: 'direct' | 'room' | 'all'): Promise<Membership[]> {
  const filter: Filter<Member> = kind === 'all' ? { userId: id } : { userId: id, conversationId: ranges[kind] }
  const members = await log.collections.members.find(filter).toArray()
  const heads = await log.heads(members.map(({ conversationId }) => conversationId))
  return members.flatMap(member => {
    const head = heads.get(member.conversationId)
    return head === undefined || head.deleted === true ? [] : [{ member, head }]
  })
}

/**
 * Unread messages of each of the caller's conversations, in their order; what is not shown does not count, and nothing is
 * unread in the common chat.
 */
export async function countUnread (
  context: ChatContext, identity: Identity, all: ReadonlyArray<{ head: Head, member: Member | undefined }>
): Promise<Unread[]> {
  const { selfHead, blocked } = await blockedSenders(context, identity)
  return await Promise.all(all.map(async ({ head, member }): Promise<Unread> => {
    const view = member === undefined ? null : viewOf(head, member, selfHead, blocked)
    const count = view === null || member === undefined ? 0 : await context.unread.of(identity, head, member, view)
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
