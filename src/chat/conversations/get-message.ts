import type { Identity } from '../../auth/identity.ts'
import { TidelogError } from '../../errors.ts'
import type { Message } from '../../schemas/message.ts'
import type { ChatContext } from '../context.ts'
import { parseConversationId } from '../conversation-id.ts'
import { visibleMessage } from '../entitled.ts'
import { ownView } from '../own-view.ts'
import { renderMessage } from '../render.ts'
import { isShown } from '../view.ts'

/** One message of a conversation, as it is now. @throws TidelogError NOT_FOUND where there is none, or none for the caller */
export async function getMessage (
  context: ChatContext, identity: Identity, { conversationId, messageId }: { conversationId: string, messageId: string }
): Promise<Message> {
  const { row, entitlement: { head, member } } = await visibleMessage(context, identity, messageId)
  const view = head === undefined ? null : await ownView(context, identity, head, member)
  if (view === null || !isShown(view, row) || row.conversationId !== parseConversationId(conversationId)?.conversationId) throw new TidelogError('NOT_FOUND')
  return await renderMessage(context, row)
}
