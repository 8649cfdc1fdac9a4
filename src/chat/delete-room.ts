import type { Identity } from '../auth/identity.ts'
import { indexNames } from '../log/collections.ts'
import type { Change } from '../log/plan.ts'
import type { ChatContext } from './context.ts'
import { normalRoomId, roomConversationId } from './conversation-id.ts'
import { done } from './room.ts'
import { clearing, deleting } from './room-rules.ts'
import { ensureOwner } from './succession.ts'

/** Members who are put out by one commit. */
const atOnce = 100

/**
 * Deletes a room, for its owner or an administrator. From the first commit on nothing of it can be read or written; then everybody is put
 * out, the owner last, so that a call which was cut short can be repeated. Its id is not used again.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
export async function deleteRoom (context: ChatContext, identity: Identity, roomId: string): Promise<void> {
  const conversationId = roomConversationId(normalRoomId(roomId))
  await ensureOwner(context, conversationId)
  done(await context.log.commit({ changes: [{ type: 'meta', conversationId, actor: identity.id, decide: deleting(identity.isAdmin) }] }))
  await clearRoom(context, conversationId)
}

/** Puts everybody out of deleted rooms, where a process ended before it had. */
export async function clearDeletedRooms (context: ChatContext): Promise<void> {
  const rooms = await context.log.collections.conversations
    .find({ deleted: true, memberCount: { $gt: 0 } }, { projection: { _id: 1 } }).hint(indexNames.deletedRooms).toArray()
  for (const { _id } of rooms) await clearRoom(context, _id)
}

async function clearRoom ({ log }: ChatContext, conversationId: string): Promise<void> {
  const { members } = log.collections
  const clear = async (role: object): Promise<void> => {
    for (;;) {
      const some = await members.find({ conversationId, ...role }).hint(indexNames.byConversation).limit(atOnce).batchSize(atOnce + 1).toArray()
      if (some.length === 0) return
      done(await log.commit({ changes: some.map(({ userId }): Change => ({ type: 'member', conversationId, userId, role: clearing })) }))
    }
  }
  await clear({ role: { $ne: 'owner' } })
  await clear({})
}
