import { wellFormed } from '../../schemas/text.ts'
import type { ChatContext } from '../context.ts'
import type { Identity } from '../../users/identity.ts'

/** Is a message of the sender stored with this client id? */
export async function isRetry (
  { log }: ChatContext, { id }: Identity, conversationId: string, clientMessageId: string | null | undefined
): Promise<boolean> {
  if (clientMessageId == null) return false
  const sent = { conversationId, senderId: id, clientMessageId: wellFormed(clientMessageId) }
  return await log.collections.rows.findOne(sent, { projection: { _id: 1 } }) !== null
}
