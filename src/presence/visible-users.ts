import type { ObjectId } from 'mongodb'
import { indexNames } from '../log/model/collections.ts'
import { memberKey } from '../log/model/types.ts'
import { apartFrom } from '../chat/directories/block-directory.ts'
import type { ChatContext } from '../chat/context.ts'
import { directId, objectId, roomRange } from '../chat/rules/conversation-id.ts'

/**
 * The users among `others` whose presence a user may see: they share a direct conversation or a room (the common chat
 * does not count), and neither has blocked the other.
 * @param userId @param others 24-hex, in lower case
 */
export async function visibleUsers (
  context: ChatContext, userId: string, others: readonly string[]
): Promise<Set<string>> {
  const asked = [...new Set(others)]
  const apart = await apartFrom(context.blocks, userId, asked)
  const open = asked.filter(other => !apart.has(other))
  const found = new Set(open.filter(other => other === userId))
  for (const other of await inDirect(context, userId, open)) found.add(other)
  for (const other of await inRooms(context, userId, open.filter(other => !found.has(other)))) found.add(other)
  return found
}

async function inDirect ({ log }: ChatContext, userId: string, others: readonly string[]): Promise<string[]> {
  const keys = others
    .filter(other => other !== userId)
    .map(other => memberKey(directId(userId, other), objectId(other)))
  if (keys.length === 0) return []
  const found = await log.collections.members
    .find({ _id: { $in: keys } }, { projection: { userId: 1 } })
    .batchSize(keys.length + 1)
    .toArray()
  return found.map(member => member.userId.toHexString())
}

async function inRooms ({ log }: ChatContext, userId: string, others: readonly string[]): Promise<string[]> {
  if (others.length === 0) return []
  const { members } = log.collections
  const roomsOf = (ids: ObjectId[]) =>
    members
      .find({ userId: { $in: ids }, conversationId: roomRange }, { projection: { userId: 1, conversationId: 1 } })
      .hint(indexNames.byMember)
  const own = new Set<string>()
  for await (const { conversationId } of roomsOf([objectId(userId)])) own.add(conversationId)
  if (own.size === 0) return []
  const found = new Set<string>()
  for await (const member of roomsOf(others.map(objectId))) {
    if (own.has(member.conversationId)) found.add(member.userId.toHexString())
  }
  return [...found]
}
