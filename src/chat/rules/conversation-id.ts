import { ObjectId } from 'mongodb'
import { TidelogError } from '../../errors.ts'
import { RoomId } from '../../schemas/message.ts'

/** A decoded conversation id. */
export type ConversationRef =
  | { kind: 'direct', conversationId: string, userIds: readonly [string, string] }
  | { kind: 'room', conversationId: string, roomId: string }
  | { kind: 'common', conversationId: string }

export const commonChatId = 'common_chat'

/** What the ids of conversations of a kind begin with. */
export const prefixes = { direct: 'dm_', room: 'room_' } as const

/** All rooms, as a range of conversation ids: '`' follows '_'. */
export const roomRange = { $gte: prefixes.room, $lt: 'room`' } as const

const roomIdForm = new RegExp(RoomId.pattern!)

/** @param a @param b ids of the two users, 24 hexadecimal digits in lower case. */
export function directId (a: string, b: string): string {
  return `${prefixes.direct}${a < b ? `${a}_${b}` : `${b}_${a}`}`
}

export function roomConversationId (roomId: string): string {
  return `${prefixes.room}${roomId}`
}

/** The room of a room's conversation. */
export function roomIdOf (conversationId: string): string {
  return conversationId.slice(prefixes.room.length)
}

/**
 * An id of 24 hexadecimal digits is made by the server and ignores case. Other ids are kept as their users chose them.
 */
export function normalRoomId (roomId: string): string {
  return isServerRoomId(roomId) ? roomId.toLowerCase() : roomId
}

/** Only the server makes a room with such an id. */
export function isServerRoomId (roomId: string): boolean {
  return /^[0-9a-fA-F]{24}$/.test(roomId)
}

/** Null: not a conversation id. */
export function parseConversationId (conversationId: string): ConversationRef | null {
  if (conversationId === commonChatId) return { kind: 'common', conversationId }
  const direct = /^dm_([0-9a-f]{24})_([0-9a-f]{24})$/.exec(conversationId)
  if (direct !== null) return { kind: 'direct', conversationId, userIds: [direct[1]!, direct[2]!] }
  if (!conversationId.startsWith(prefixes.room)) return null
  const given = roomIdOf(conversationId)
  if (given.length > RoomId.maxLength! || !roomIdForm.test(given)) return null
  const roomId = normalRoomId(given)
  return { kind: 'room', conversationId: roomConversationId(roomId), roomId }
}

/**
 * The conversation that an id from the wire names.
 * @throws TidelogError NOT_FOUND if it names none, or the direct conversation of two others
 */
export function requireRef (conversationId: string, userId: string): ConversationRef {
  const ref = parseConversationId(conversationId)
  const isOthers = ref?.kind === 'direct' && otherUser(ref, userId) === undefined
  if (ref === null || isOthers) throw new TidelogError('NOT_FOUND')
  return ref
}

/** The other user of a direct conversation; undefined if `userId` is not in it. */
export function otherUser (
  { userIds: [a, b] }: { userIds: readonly [string, string] }, userId: string
): string | undefined {
  return userId === a ? b : userId === b ? a : undefined
}

/** An id from the wire; its schema has checked the form. */
export function objectId (hex: string): ObjectId {
  return ObjectId.createFromHexString(hex)
}
