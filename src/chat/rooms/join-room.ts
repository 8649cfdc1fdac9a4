import type { NewConversation } from '../../log/commit/plan.ts'
import type { ChatContext, PreparedCommit } from '../context.ts'
import { isServerRoomId, normalRoomId, roomConversationId } from '../rules/conversation-id.ts'
import { memberAnnouncement } from '../payload/announcements.ts'
import { requireCommitted } from '../rules/outcome.ts'
import { joinRule } from '../rules/room-rules.ts'
import type { Identity } from '../../users/identity.ts'

export interface JoinedRoom {
  roomId: string
  conversationId: string
}

/**
 * Makes the caller a member of a public room; a member keeps their role. An unknown id that the server could not have
 * made opens a public room with the caller as its owner.
 * @throws TidelogError NOT_FOUND (unknown, deleted, or private to a stranger), NOT_ALLOWED (banned), RATE_LIMITED
 */
export async function prepareJoin (
  context: ChatContext, identity: Identity, given: string
): Promise<PreparedCommit<JoinedRoom>> {
  context.countSend(identity.userId)
  const roomId = normalRoomId(given)
  const conversationId = roomConversationId(roomId)
  const open: NewConversation | undefined = isServerRoomId(roomId)
    ? undefined
    : { kind: 'room', name: roomId, isPrivate: false, members: [] }
  const announce = await memberAnnouncement(context, identity, conversationId, identity.userId)
  return async () => {
    requireCommitted(await context.log.commit({
      mutations: [{
        type: 'member',
        conversationId,
        userId: identity.id,
        role: joinRule,
        announce,
        ...(open === undefined ? {} : { open })
      }]
    }))
    return { roomId, conversationId }
  }
}
