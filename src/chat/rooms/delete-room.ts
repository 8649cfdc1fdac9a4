import { noteEndOfConversation } from '../../files/sweep.ts'
import { indexNames } from '../../log/model/collections.ts'
import type { Mutation } from '../../log/commit/plan.ts'
import type { ChatContext } from '../context.ts'
import { normalRoomId, roomConversationId } from '../rules/conversation-id.ts'
import { requireCommitted } from '../rules/outcome.ts'
import { evictRule, deleteRule } from '../rules/room-rules.ts'
import { ensureOwner } from '../succession.ts'
import type { Identity } from '../../users/identity.ts'

/** Members whom one commit removes. */
const atOnce = 100

/**
 * Deletes a room, for its owner or an administrator. From the first commit on, nobody can read it or write to it. Then
 * all members are removed, the owner last, so that an interrupted call can be repeated. The id is never used again.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
export async function deleteRoom (context: ChatContext, identity: Identity, roomId: string): Promise<void> {
  const conversationId = roomConversationId(normalRoomId(roomId))
  await ensureOwner(context, conversationId)
  await noteEndOfConversation(context.files, conversationId)
  requireCommitted(
    await context.log.commit({
      mutations: [{ type: 'meta', conversationId, actor: identity.id, decide: deleteRule(identity.isAdmin) }]
    })
  )
  await clearRoom(context, conversationId)
}

/** Removes the members who are left in deleted rooms because a process ended too early. */
export async function evictFromDeletedRooms (context: ChatContext): Promise<void> {
  const rooms = await context.log.collections.heads
    .find({ deleted: true, memberCount: { $gt: 0 } }, { projection: { _id: 1 } })
    .hint(indexNames.deletedRooms)
    .toArray()
  for (const { _id } of rooms) await clearRoom(context, _id)
}

async function clearRoom ({ log }: ChatContext, conversationId: string): Promise<void> {
  const { members } = log.collections
  const clear = async (role: object): Promise<void> => {
    for (;;) {
      const some = await members
        .find({ conversationId, ...role })
        .hint(indexNames.byConversation)
        .limit(atOnce)
        .batchSize(atOnce + 1)
        .toArray()
      if (some.length === 0) return
      requireCommitted(
        await log.commit({
          mutations: some.map(({ userId }): Mutation => ({ type: 'member', conversationId, userId, role: evictRule }))
        })
      )
    }
  }
  await clear({ role: { $ne: 'owner' } })
  await clear({})
}
