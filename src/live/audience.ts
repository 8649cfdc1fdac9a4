import { parseConversationId } from '../chat/rules/conversation-id.ts'
import { selfLogOwner } from '../log/model/types.ts'
import { liveRoom, userRoom } from '../connection/socket-types.ts'

/** Socket.IO rooms of those who get what changes in a conversation. */
export function audienceOf (conversationId: string): string[] {
  const owner = selfLogOwner(conversationId)
  if (owner !== undefined) return [liveRoom(owner)]
  const ref = parseConversationId(conversationId)
  return ref?.kind === 'direct' ? ref.userIds.map(userRoom) : [conversationId]
}

/** Does it change who gets what? Rooms have members; self logs say what rooms are their owner's, and whom they have blocked. */
export function dependsOnMembership (conversationId: string): boolean {
  return selfLogOwner(conversationId) !== undefined || parseConversationId(conversationId)?.kind === 'room'
}
