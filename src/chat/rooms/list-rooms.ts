import { indexNames } from '../../log/model/collections.ts'
import type { Room } from '../../schemas/room.ts'
import type { ChatContext } from '../context.ts'
import { normalRoomId, roomConversationId, roomIdOf } from '../rules/conversation-id.ts'
import { roomPayload } from './room.ts'
import type { Identity } from '../../users/identity.ts'

export interface RoomPage {
  rooms: Room[]
  hasMore: boolean
  /** Pass it to the next call; null at the end. */
  cursor: string | null
}

/** Sorts after every room's id. */
const roomsEnd = roomConversationId('~')

/**
 * The public rooms and the caller's rooms, by id. Both are read from indexes, each page from the end of the last one.
 */
export async function listRooms ({ log }: ChatContext, { id }: Identity, { cursor, limit = 50 }: { cursor?: string, limit?: number }): Promise<RoomPage> {
  const { heads: conversations, members } = log.collections
  const after = roomConversationId(cursor === undefined ? '' : normalRoomId(cursor))
  const [open, own] = await Promise.all([
    conversations.find({ isPrivate: false, _id: { $gt: after, $lt: roomsEnd } })
      .sort({ isPrivate: 1, _id: 1 }).hint(indexNames.publicRooms).limit(limit + 1).batchSize(limit + 2).toArray(),
    members.find({ userId: id, conversationId: { $gt: after, $lt: roomsEnd } })
      .sort({ userId: 1, conversationId: 1 }).hint(indexNames.byMember).limit(limit + 1).batchSize(limit + 2).toArray()
  ])
  // Both lists reach the end of the page, so that no room is missing and every role is known.
  const heads = await log.heads(own.map(({ conversationId }) => conversationId))
  for (const head of open) heads.set(head._id, head)
  const found = [...heads.values()].sort((a, b) => a._id < b._id ? -1 : 1)
  const page = found.slice(0, limit)
  const hasMore = found.length > limit
  const last = page.at(-1)
  const memberships = new Map(own.map(member => [member.conversationId, member]))
  return {
    rooms: page.filter(({ deleted }) => deleted !== true).map(head => roomPayload(head, memberships.get(head._id))),
    hasMore,
    cursor: hasMore && last !== undefined ? roomIdOf(last._id) : null
  }
}
