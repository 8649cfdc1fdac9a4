import { ObjectId } from 'mongodb'
import type { Announcement, MembershipStatus, NewRow } from '../../log/commit/plan.ts'
import type { RoomSettings, SystemEvent } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { objectId, roomIdOf } from '../rules/conversation-id.ts'
import type { Identity } from '../../users/identity.ts'
import { publicUser } from '../../users/public-user.ts'

/**
 * Announcements: system messages about events in a room, if its settings ask for them, each in the commit of its event.
 * Their text is English, for clients that do not read `system`.
 */

/** A user joined, left, or has another role. */
export async function memberAnnouncement (
  context: ChatContext, identity: Identity, conversationId: string, userId: string
): Promise<Announcement<{ before: MembershipStatus, after: MembershipStatus, isNew: boolean }>> {
  const [by, user] = await namesOf(context, [identity.userId, userId])
  const build = announcing(identity, conversationId)
  const isSelf = userId === identity.userId
  return (head, { before, after, isNew }) => {
    if (head.systemMessages !== true) return undefined
    const about = { userId: objectId(userId) }
    const wasMember = before !== null && before !== 'banned'
    const isMember = after !== null && after !== 'banned'
    if (isNew) return build(`${by} created the room`, { event: 'created' })
    if (!wasMember && !isMember) return undefined
    if (!wasMember) {
      return isSelf
        ? build(`${user} joined`, { event: 'joined', ...about })
        : build(`${by} added ${user}`, { event: 'added', ...about })
    }
    if (!isMember) {
      return isSelf
        ? build(`${user} left`, { event: 'left', ...about })
        : build(`${by} removed ${user}`, { event: 'removed', ...about })
    }
    const role = after === 'owner' ? 'the owner' : `a ${after}`
    return build(`${by} made ${user} ${role}`, { event: 'role', ...about, role: after })
  }
}

/** A member owns the room now, because its owner is gone: nobody did it. */
export async function successionAnnouncement (
  context: ChatContext, conversationId: string, heir: ObjectId
): Promise<Announcement<object>> {
  const [user] = await namesOf(context, [heir.toHexString()])
  const _id = new ObjectId()
  return ({ systemMessages }) => systemMessages !== true
    ? undefined
    : announcement(
      _id, conversationId, heir, `${user} is the owner now`, { event: 'role', userId: heir, role: 'owner' }
    )
}

/** The room has another name. */
export async function nameAnnouncement (
  context: ChatContext, identity: Identity, conversationId: string
): Promise<Announcement<{ before: RoomSettings, after: RoomSettings }>> {
  const [by] = await namesOf(context, [identity.userId])
  const build = announcing(identity, conversationId)
  return ({ systemMessages }, { before, after: { name } }) => {
    if (systemMessages !== true || name === undefined || name === before.name) return undefined
    return build(`${by} named the room “${name}”`, { event: 'renamed', name })
  }
}

/** A message was pinned. */
export async function pinAnnouncement (
  context: ChatContext, identity: Identity, conversationId: string, messageId: ObjectId
): Promise<Announcement<{ on: boolean }>> {
  const [by] = await namesOf(context, [identity.userId])
  const build = announcing(identity, conversationId)
  return (head, { on }) => head.systemMessages === true && on
    ? build(`${by} pinned a message`, { event: 'pinned', messageId })
    : undefined
}

async function namesOf ({ users }: ChatContext, ids: string[]): Promise<string[]> {
  const found = await users.getMany(ids)
  return ids.map(id => publicUser(id, found.get(id)).fullName)
}

function announcing ({ id }: Identity, conversationId: string): (message: string, system: SystemEvent) => NewRow {
  const _id = new ObjectId()
  return (message, system) => announcement(_id, conversationId, id, message, { ...system, by: id })
}

function announcement (
  _id: ObjectId, conversationId: string, senderId: ObjectId, message: string, system: SystemEvent
): NewRow {
  return { _id, kind: 'message', senderId, roomId: roomIdOf(conversationId), message, messageType: 'system', system }
}
