import type { CommonChatMessage, SendCommonInput } from '../../schemas/message.ts'
import { type ChatContext, type PreparedCommit, atOnce } from '../context.ts'
import { commonChatId } from '../rules/conversation-id.ts'
import { type SentMessage, commitMessage, buildMessageRow } from './send-message.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Sends a message to everybody; you need not join.
 * @throws TidelogError VALIDATION, IDEMPOTENCY_MISMATCH, RATE_LIMITED
 */
export const sendCommon = atOnce(prepareCommon)

export async function prepareCommon (
  context: ChatContext, identity: Identity, input: SendCommonInput
): Promise<PreparedCommit<SentMessage<CommonChatMessage>>> {
  context.countSend(identity.userId)
  const row = await buildMessageRow(context, identity, commonChatId, { ...input, listingId: null })
  return async () => await commitMessage(
    context, { type: 'append', conversationId: commonChatId, row, open: { kind: 'common', members: [] } }
  )
}
