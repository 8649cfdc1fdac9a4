import { ObjectId } from 'mongodb'
import { TidelogError } from '../../errors.ts'
import { notePictureEnd, publishPicture } from '../../files/picture.ts'
import { type Head, type Member, type RoomSettings, settingsOf } from '../../log/model/types.ts'
import type { ChangeRoomInput, CreateRoomInput, Room } from '../../schemas/room.ts'
import type { ChatContext } from '../context.ts'
import { normalRoomId, roomConversationId, roomIdOf } from '../rules/conversation-id.ts'
import { requireCommitted } from '../rules/outcome.ts'
import { roomDefaults, settingsRule } from '../rules/room-rules.ts'
import { memberAnnouncement, nameAnnouncement } from '../payload/announcements.ts'
import { ensureOwner } from '../succession.ts'
import type { Identity } from '../../users/identity.ts'

/** A room as clients get it. */
export function roomPayload (head: Head, member: Pick<Member, 'role'> | undefined): Room {
  const { _id, name, isPrivate, history, topic, description, picture, memberCount, createdAt } = head
  const { postRole, slowModeS, systemMessages } = { ...roomDefaults, ...head }
  const roomId = roomIdOf(_id)
  return {
    roomId,
    conversationId: _id,
    name: name ?? roomId,
    isPrivate: isPrivate === true,
    history: history ?? 'all',
    topic: topic ?? null,
    description: description ?? null,
    picture: picture ?? null,
    postRole,
    slowModeS,
    systemMessages,
    memberCount,
    role: member?.role ?? null,
    createdAt: createdAt.toISOString()
  }
}

/** Makes a room with the caller as its owner. @throws TidelogError RATE_LIMITED, and those of a picture */
export async function createRoom (context: ChatContext, identity: Identity, input: CreateRoomInput): Promise<Room> {
  context.countSend(identity.userId)
  const roomId = new ObjectId().toHexString()
  const conversationId = roomConversationId(roomId)
  const settings = await settingsFor(context, identity, conversationId, input)
  requireCommitted(await context.log.commit({
    mutations: [{
      type: 'member',
      conversationId,
      userId: identity.id,
      role: 'owner',
      announce: await memberAnnouncement(context, identity, conversationId, identity.userId),
      open: { kind: 'room', isPrivate: false, history: 'all', ...settings, members: [] }
    }]
  }))
  return await getRoom(context, identity, roomId)
}

/** A room that the caller may see; administrators may see any. @throws TidelogError NOT_FOUND */
export async function getRoom (context: ChatContext, identity: Identity, roomId: string): Promise<Room> {
  const conversationId = roomConversationId(normalRoomId(roomId))
  const [head, member] = await Promise.all([
    context.log.head(conversationId), context.log.member(conversationId, identity.id)
  ])
  if (
    head === undefined ||
    head.deleted === true ||
    (head.isPrivate === true && member === undefined && !identity.isAdmin)
  ) {
    throw new TidelogError('NOT_FOUND')
  }
  const heir = await ensureOwner(context, conversationId)
  return roomPayload(
    head, heir?.equals(identity.id) === true ? await context.log.member(conversationId, identity.id) : member
  )
}

/**
 * Changes the named settings, for an owner, moderator or administrator.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED, RATE_LIMITED, and those of a picture
 */
export async function changeRoom (
  context: ChatContext, identity: Identity, roomId: string, input: ChangeRoomInput
): Promise<Room> {
  context.countSend(identity.userId)
  const conversationId = roomConversationId(normalRoomId(roomId))
  await ensureOwner(context, conversationId)
  const settings = await settingsFor(context, identity, conversationId, input)
  if (settings.picture !== undefined) {
    await notePictureEnd(context.files, (await context.log.head(conversationId))?.picture)
  }
  requireCommitted(await context.log.commit({
    mutations: [{
      type: 'meta',
      conversationId,
      actor: identity.id,
      decide: settingsRule(settings, identity.isAdmin),
      announce: await nameAnnouncement(context, identity, conversationId)
    }]
  }))
  return await getRoom(context, identity, roomId)
}

/** The settings as they are stored: a file that becomes the room's picture is its address. */
async function settingsFor (
  { files }: ChatContext, { id }: Identity, conversationId: string, { picture, ...others }: ChangeRoomInput
): Promise<RoomSettings> {
  if (picture === undefined) return settingsOf(others)
  const isFile = picture !== null && typeof picture === 'object'
  return settingsOf({
    ...others, picture: isFile ? await publishPicture(files, id, picture.fileId.toLowerCase(), conversationId) : picture
  })
}
