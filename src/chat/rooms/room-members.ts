import { ObjectId } from 'mongodb'
import { TidelogError } from '../../errors.ts'
import { indexNames } from '../../log/model/collections.ts'
import type { Mutation, MembershipRule } from '../../log/commit/plan.ts'
import type { LogRow, Member, MemberRole } from '../../log/model/types.ts'
import type { RoomMember } from '../../schemas/room.ts'
import type { ChatContext } from '../context.ts'
import { normalRoomId, objectId, roomConversationId } from '../rules/conversation-id.ts'
import { memberAnnouncement } from '../payload/announcements.ts'
import { requireAccess } from '../access/access.ts'
import { isStranger } from '../access/strangers.ts'
import { requireCommitted } from '../rules/outcome.ts'
import {
  banRule, assignRoleRule, formerOwnerRule, leaveRule, passingOn, removeRule, changeOwnRoleRule
} from '../rules/room-rules.ts'
import { ensureOwner, ownerOf } from '../succession.ts'
import type { UserRow } from '../../users/user-row.ts'
import { type PublicUser, publicUser } from '../../users/public-user.ts'
import type { Identity } from '../../users/identity.ts'

interface PageInput {
  /** The last user of the previous page. */
  cursor?: string
  limit?: number
}

interface PageEnd {
  hasMore: boolean
  /** Pass it to the next call; null at the end. */
  cursor: string | null
}

/**
 * The members of a room, by id.
 * @throws TidelogError NOT_FOUND to a stranger, NOT_ALLOWED for a public room that the caller has not joined
 */
export async function listMembers (
  context: ChatContext, identity: Identity, roomId: string, { cursor, limit = 50 }: PageInput
): Promise<PageEnd & { members: RoomMember[] }> {
  const { conversationId } = await governed(context, identity, roomId)
  const found = await context.log.collections.members
    .find({ conversationId, ...behind(cursor) })
    .sort({ conversationId: 1, userId: 1 })
    .hint(indexNames.byConversation)
    .limit(limit + 1)
    .batchSize(limit + 2)
    .toArray()
  const page = found.slice(0, limit)
  const users = await context.users.getMany(page.map(({ userId }) => userId.toHexString()))
  return { members: page.map(member => memberPayload(member, users)), ...endOf(found, page) }
}

/** The banned users of a room, by id; for its owner and moderators. @throws TidelogError NOT_FOUND, NOT_ALLOWED */
export async function listBans (
  context: ChatContext, identity: Identity, roomId: string, { cursor, limit = 50 }: PageInput
): Promise<PageEnd & { users: PublicUser[] }> {
  const { conversationId, member } = await governed(context, identity, roomId)
  if (!identity.isAdmin && member?.role === 'member') {
    throw new TidelogError('NOT_ALLOWED', 'Only the owner and moderators of the room may do this')
  }
  const found = await context.log.collections.rows
    .find({ conversationId, banned: true, ...behind(cursor) })
    .sort({ conversationId: 1, userId: 1 })
    .hint(indexNames.byBan)
    .limit(limit + 1)
    .batchSize(limit + 2)
    .toArray()
  const page = found.slice(0, limit)
  const ids = page.map(({ userId }) => userId!.toHexString())
  const users = await context.users.getMany(ids)
  return { users: ids.map(id => publicUser(id, users.get(id))), ...endOf(found, page) }
}

/**
 * Gives a user a role: invites or promotes them, or hands the room over. Callers who name themselves join a public
 * room.
 * @param userId 24-hex, or `me`
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED, USER_NOT_FOUND, RATE_LIMITED
 */
export async function setMemberRole (
  context: ChatContext, identity: Identity, roomId: string, userId: string, role: MemberRole
): Promise<RoomMember> {
  context.countSend(identity.userId)
  const conversationId = roomConversationId(normalRoomId(roomId))
  const target = userIdOf(identity, userId)
  const isSelf = target === identity.userId
  await ensureOwner(context, conversationId)
  const invitation = isSelf ? undefined : await prepareInvitation(context, identity, conversationId, target)
  const rule =
    invitation === undefined ? changeOwnRoleRule(role) : assignRoleRule(role, invitation.admit, identity.isAdmin)
  const announce = await memberAnnouncement(context, identity, conversationId, target)
  const mutations = [memberMutation(identity, conversationId, target, rule, announce)]
  if (role === 'owner' && !isSelf) mutations.push(...await handingOver(context, identity, conversationId, target))
  const outcome = await context.log.commit({ mutations })
  if (outcome.outcome !== 'committed') invitation?.takeBack()
  requireCommitted(outcome)
  const member = await context.log.member(conversationId, objectId(target))
  // Somebody removed the user before this reply.
  if (member === undefined) throw new TidelogError('NOT_FOUND')
  return memberPayload(member, await context.users.getMany([target]))
}

/**
 * Removes a user from a room, or lets the caller leave; removing a stranger changes nothing.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
export async function removeMember (
  context: ChatContext, identity: Identity, roomId: string, userId: string
): Promise<void> {
  const target = userIdOf(identity, userId)
  const conversationId = roomConversationId(normalRoomId(roomId))
  await ensureOwner(context, conversationId)
  const rule = target === identity.userId ? leaveRule : removeRule(identity.isAdmin)
  const announce = await memberAnnouncement(context, identity, conversationId, target)
  requireCommitted(await context.log.commit({
    mutations: [memberMutation(identity, conversationId, target, rule, announce)]
  }))
}

/**
 * Bans a user from a room, or ends the ban. A banned user is no member and cannot join; the user need not be a member
 * before.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED, USER_NOT_FOUND, RATE_LIMITED
 */
export async function setBan (
  context: ChatContext, identity: Identity, roomId: string, userId: string, on: boolean
): Promise<void> {
  context.countSend(identity.userId)
  const target = userIdOf(identity, userId)
  if (target === identity.userId) throw new TidelogError('NOT_ALLOWED', 'You cannot ban yourself')
  const conversationId = roomConversationId(normalRoomId(roomId))
  await ensureOwner(context, conversationId)
  const isThere = !on || await context.users.get(target) !== undefined
  const rule: MembershipRule = (member, head, others) => {
    const wanted = banRule(on, identity.isAdmin)(member, head, others)
    if (!isThere) throw new TidelogError('USER_NOT_FOUND')
    return wanted
  }
  const announce = await memberAnnouncement(context, identity, conversationId, target)
  requireCommitted(await context.log.commit({
    mutations: [memberMutation(identity, conversationId, target, rule, announce)]
  }))
}

/** The change of the present owner's role when another user becomes the owner. An administrator hands over for them. */
async function handingOver (
  context: ChatContext, identity: Identity, conversationId: string, to: string
): Promise<Mutation[]> {
  if (!identity.isAdmin) return [memberMutation(identity, conversationId, identity.userId, formerOwnerRule)]
  const owner = (await ownerOf(context, conversationId))?.userId.toHexString()
  return owner === undefined || owner === to
    ? []
    : [memberMutation(identity, conversationId, owner, passingOn('moderator'))]
}

/**
 * A room in which the caller is a member, or which they govern as an administrator.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
async function governed (
  context: ChatContext, identity: Identity, roomId: string
): Promise<{ conversationId: string, member: Member | undefined }> {
  const conversationId = roomConversationId(normalRoomId(roomId))
  if (identity.isAdmin) {
    const head = await context.log.head(conversationId)
    if (head === undefined || head.deleted === true) throw new TidelogError('NOT_FOUND')
  } else await requireAccess(context, identity, conversationId)
  await ensureOwner(context, conversationId)
  return { conversationId, member: await context.log.member(conversationId, identity.id) }
}

function memberMutation (
  identity: Identity, conversationId: string, userId: string, role: MembershipRule,
  announce?: Awaited<ReturnType<typeof memberAnnouncement>>
): Mutation {
  const mutation = { type: 'member' as const, conversationId, userId: objectId(userId), role, actor: identity.id }
  return announce === undefined ? mutation : { ...mutation, announce }
}

function userIdOf (identity: Identity, userId: string): string {
  return userId === 'me' ? identity.userId : userId.toLowerCase()
}

interface Invitation {
  /**
   * Throws if the user cannot become a member. Counts a stranger's invitation once, however often the commit is tried.
   */
  admit: () => void
  /** Takes the count back, because nobody became a member. */
  takeBack: () => void
}

async function prepareInvitation (
  context: ChatContext, identity: Identity, conversationId: string, userId: string
): Promise<Invitation> {
  const [user, blocked, member] = await Promise.all([
    context.users.get(userId), context.blocks.get(userId), context.log.member(conversationId, objectId(userId))
  ])
  const isCounted =
    user !== undefined &&
    member === undefined &&
    !identity.isAdmin &&
    (await isStranger(context, identity.userId, userId))
  let count = 0
  return {
    admit: () => {
      if (user === undefined || user.isActive === false) throw new TidelogError('USER_NOT_FOUND')
      if (blocked.has(identity.userId)) {
        throw new TidelogError('NOT_ALLOWED', 'This user does not take invitations from you')
      }
      if (!isCounted || count > 0) return
      context.countInvitation(userId)
      count++
    },
    takeBack: () => {
      if (count > 0) context.uncountInvitation(userId)
    }
  }
}

function memberPayload ({ userId, role, joinedAt }: Member, users: ReadonlyMap<string, UserRow>): RoomMember {
  const id = userId.toHexString()
  return { user: publicUser(id, users.get(id)), role, joinedAt: joinedAt.toISOString() }
}

function behind (cursor: string | undefined): { userId?: { $gt: ObjectId } } {
  return cursor === undefined ? {} : { userId: { $gt: new ObjectId(cursor) } }
}

function endOf (found: ReadonlyArray<Member | LogRow>, page: ReadonlyArray<Member | LogRow>): PageEnd {
  const hasMore = found.length > page.length
  return { hasMore, cursor: hasMore ? page.at(-1)?.userId?.toHexString() ?? null : null }
}
