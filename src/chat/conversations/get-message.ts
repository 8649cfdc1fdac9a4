import { TidelogError } from '../../errors.ts'
import type { Message } from '../../schemas/message.ts'
import type { ChatContext } from '../context.ts'
import { parseConversationId } from '../rules/conversation-id.ts'
import { requireVisibleMessage } from '../access/access.ts'
import { callerView } from '../access/caller-view.ts'
import { loadMessagePayload } from '../payload/load-payloads.ts'
import { isShown } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * The current form of one message of a conversation.
 * @throws TidelogError NOT_FOUND if it does not exist or the caller may not see it
 */
export async function getMessage (
  context: ChatContext, identity: Identity, { conversationId, messageId }: { conversationId: string, messageId: string }
): Promise<Message> {
  const { row, access: { head, member } } = await requireVisibleMessage(context, identity, messageId)
  const view = head === undefined ? null : await callerView(context, identity, head, member)
  if (
    view === null ||
    !isShown(view, row) ||
    row.conversationId !== parseConversationId(conversationId)?.conversationId
  ) {
    throw new TidelogError('NOT_FOUND')
  }
  return await loadMessagePayload(context, row, identity)
}
