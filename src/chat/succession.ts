import type { ObjectId } from 'mongodb'
import { indexNames } from '../log/model/collections.ts'
import type { Member } from '../log/model/types.ts'
import type { ChatContext } from './context.ts'
import { successionAnnouncement } from './payload/announcements.ts'
import { objectId, roomRange } from './rules/conversation-id.ts'
import { inheriting, passingOn } from './rules/room-rules.ts'

/** Finds a new owner for a room whose owner is gone. Without one, nobody could govern or delete it. */

/** Users in one read. */
const atOnce = 100

export async function ownerOf ({ log }: ChatContext, conversationId: string): Promise<Member | undefined> {
  return (
    (await log.collections.members.findOne({ conversationId, role: 'owner' }, { hint: indexNames.byOwner })) ??
    undefined
  )
}

/**
 * Makes the longest-serving moderator, else the longest-serving member, the owner of a room whose owner was deactivated
 * or erased, here or by the host application. The former owner becomes a plain member. If no member can take over, the
 * room has no active owner until one can.
 * @returns the new owner, if there is one
 */
export async function ensureOwner (context: ChatContext, conversationId: string): Promise<ObjectId | undefined> {
  const owner = await ownerOf(context, conversationId)
  if (owner === undefined || await isActive(context, owner)) return undefined
  const heir = await heirOf(context, conversationId)
  if (heir === undefined) return undefined
  const announce = await successionAnnouncement(context, conversationId, heir)
  // If it is refused, another call has already made the change.
  const { outcome } = await context.log.commit({
    mutations: [
      { type: 'member', conversationId, userId: owner.userId, role: passingOn('member') },
      { type: 'member', conversationId, userId: heir, role: inheriting, announce }
    ]
  })
  return outcome === 'committed' ? heir : undefined
}

/** Passes on all rooms of a user who was deactivated. */
export async function passOnRooms (context: ChatContext, userId: string): Promise<void> {
  for (const { conversationId, role } of await roomsOf(context, objectId(userId))) {
    if (role === 'owner') await ensureOwner(context, conversationId)
  }
}

/** The rooms in which a user is a member. */
export async function roomsOf (
  { log }: ChatContext, userId: ObjectId
): Promise<Array<Pick<Member, 'conversationId' | 'role'>>> {
  return await log.collections.members
    .find({ userId, conversationId: roomRange }, { projection: { conversationId: 1, role: 1 } })
    .hint(indexNames.byMember).toArray()
}

async function isActive ({ users }: ChatContext, { userId }: Member): Promise<boolean> {
  const user = await users.get(userId.toHexString())
  return user !== undefined && user.isActive !== false
}

async function heirOf ({ log, users }: ChatContext, conversationId: string): Promise<ObjectId | undefined> {
  const all = await log.collections.members
    .find({ conversationId }, { projection: { userId: 1, role: 1, joinedRev: 1 } })
    .hint(indexNames.byConversation)
    .toArray()
  const line = all
    .filter(({ role }) => role !== 'owner')
    .sort((a, b) => Number(a.role === 'member') - Number(b.role === 'member') || a.joinedRev - b.joinedRev)
  for (let start = 0; start < line.length; start += atOnce) {
    const some = line.slice(start, start + atOnce).map(({ userId }) => userId)
    const found = await users.getMany(some.map(userId => userId.toHexString()))
    const heir = some.find(userId => {
      const user = found.get(userId.toHexString())
      return user !== undefined && user.isActive !== false
    })
    if (heir !== undefined) return heir
  }
  return undefined
}
