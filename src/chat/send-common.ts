import type { Identity } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import type { CommonChatMessage, SendCommonInput } from '../schemas/message.ts'
import type { ChatContext } from './context.ts'
import { commonChatId } from './conversation-id.ts'
import { commonPayload } from './payload.ts'
import { type Prepared, type Sent, commitMessage, newMessage } from './send.ts'

/**
 * Sends a message to everybody; needs no join.
 * @throws TidelogError VALIDATION, IDEMPOTENCY_MISMATCH, RATE_LIMITED
 */
export async function sendCommon (context: ChatContext, identity: Identity, input: SendCommonInput): Promise<Sent<CommonChatMessage>> {
  return await (await prepareCommon(context, identity, input))()
}

export async function prepareCommon (context: ChatContext, identity: Identity, input: SendCommonInput): Promise<Prepared<Sent<CommonChatMessage>>> {
  context.countSend(identity.userId)
  const row = await newMessage(context, identity, commonChatId, { ...input, listingId: null })
  return async () => await commitMessage(
    context,
    { changes: [{ type: 'append', conversationId: commonChatId, row, open: { kind: 'common', members: [] } }] },
    commonPayload,
    () => new TidelogError('NOT_FOUND')
  )
}
