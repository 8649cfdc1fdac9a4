import type { Filter } from 'mongodb'
import type { Identity } from '../auth/identity.ts'
import { indexNames } from '../log/collections.ts'
import type { Head, LogRow, Member } from '../log/types.ts'
import type { ChatContext } from './context.ts'

/** Unread messages that are counted in one conversation. */
export const unreadMax = 1_000

/** Conversations of a user, with where they end and how far they are read. */
export interface Membership {
  member: Member
  head: Head
}

/** @param kind direct conversations only, or all */
export async function memberships ({ log }: ChatContext, { id }: Identity, kind: 'direct' | 'all'): Promise<Membership[]> {
  const filter: Filter<Member> = kind === 'direct' ? { userId: id, conversationId: { $gte: 'dm_', $lt: 'dm`' } } : { userId: id }
  const members = await log.collections.members.find(filter).toArray()
  const heads = await Promise.all(members.map(member => log.head(member.conversationId)))
  return members.flatMap((member, index) => heads[index] === undefined ? [] : [{ member, head: heads[index] }])
}

/** Messages of others that the user has not read, at most `unreadMax`; tombstones do not count. */
export async function countUnread ({ log }: ChatContext, { id }: Identity, { member, head }: Membership): Promise<number> {
  if (head.headSeq <= member.readSeq) return 0
  const filter: Filter<LogRow> = { conversationId: member.conversationId, seq: { $gt: member.readSeq }, senderId: { $ne: id }, isDeleted: { $exists: false } }
  return await log.collections.log.countDocuments(filter, { limit: unreadMax, hint: indexNames.bySeq })
}

/** Unread messages of all the caller's conversations; those without any are left out. */
export async function unreadCounts (context: ChatContext, identity: Identity, kind: 'direct' | 'all' = 'all'): Promise<{ unreadCount: number, conversations: Record<string, number> }> {
  return await countAll(context, identity, await memberships(context, identity, kind))
}

export async function countAll (context: ChatContext, identity: Identity, all: readonly Membership[]): Promise<{ unreadCount: number, conversations: Record<string, number> }> {
  const counted = await Promise.all(all.map(async membership => [membership.member.conversationId, await countUnread(context, identity, membership)] as const))
  const unread = counted.filter(([, count]) => count > 0)
  return { unreadCount: unread.reduce((sum, [, count]) => sum + count, 0), conversations: Object.fromEntries(unread) }
}
