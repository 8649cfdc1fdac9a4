import { parseConversationId } from '../chat/rules/conversation-id.ts'
import { selfLogOwner } from '../log/model/types.ts'
import { directRoom, liveRoom, memberRoom } from '../connection/socket-types.ts'

/** The Socket.IO rooms that get a conversation's changes. */
export function audienceOf (conversationId: string): string[] {
  const owner = selfLogOwner(conversationId)
  if (owner !== undefined) return [liveRoom(owner)]
  const ref = parseConversationId(conversationId)
  return ref?.kind === 'direct' ? [...ref.userIds.map(directRoom), conversationId] : [conversationId]
}

/** The Socket.IO rooms of those sockets of one user that get a direct conversation. */
export function roomsIn (conversationId: string, userId: string): string[] {
  return [directRoom(userId), memberRoom(conversationId, userId)]
}

/**
 * Can a change of this log alter an audience? A room's log holds its members; a self log holds its owner's memberships
 * and blocks.
 */
export function dependsOnMembership (conversationId: string): boolean {
  return selfLogOwner(conversationId) !== undefined || parseConversationId(conversationId)?.kind === 'room'
}
