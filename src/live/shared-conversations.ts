import { parseConversationId } from '../chat/rules/conversation-id.ts'
import { selfLogId } from '../log/model/types.ts'
import type { SyncContext } from '../sync/context.ts'
import type { UserConversation } from '../sync/user-conversations.ts'
import type { Identity } from '../users/identity.ts'

/**
 * The conversations to which a user's sockets subscribe (rooms and the common chat), with the rev of the self log that
 * lists them. Direct messages reach the sockets of a user without a subscription, unless a socket names what it wants.
 */
export async function subscribableConversations (
  { conversations, chat: { log } }: SyncContext, identity: Identity
): Promise<{ rev: number, shared: UserConversation[] }> {
  const { rev, list } = await conversations.get(identity, await log.head(selfLogId(identity.userId)))
  return { rev, shared: list.filter(({ conversationId }) => isShared(conversationId)) }
}

function isShared (conversationId: string): boolean {
  const kind = parseConversationId(conversationId)?.kind
  return kind === 'room' || kind === 'common'
}
