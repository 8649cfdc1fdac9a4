import { TidelogError } from '../../errors.ts'
import type { Message, SendInput } from '../../schemas/message.ts'
import { type ChatContext, type PreparedCommit, atOnce } from '../context.ts'
import { otherUser, parseConversationId } from '../rules/conversation-id.ts'
import { prepareCommon } from './send-common.ts'
import { prepareDirect } from './send-direct.ts'
import { prepareRoom } from './send-room.ts'
import type { SentMessage } from './send-message.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Sends a message to a conversation of any kind, named by its id, its user or its room.
 * @throws TidelogError the errors of the three kinds of sending, and VALIDATION unless exactly one receiver is named
 */
export const sendTo = atOnce(prepareSendTo)

export async function prepareSendTo (
  context: ChatContext, identity: Identity, input: SendInput
): Promise<PreparedCommit<SentMessage<Message>>> {
  const { conversationId, receiverId, roomId } = input
  const named = [conversationId, receiverId, roomId].filter(given => given !== undefined).length
  if (named === 0) throw new TidelogError('VALIDATION', 'receiverId, roomId or conversationId is required')
  if (named > 1) throw new TidelogError('VALIDATION', 'Name one of conversationId, receiverId and roomId')
  if (receiverId !== undefined) return await prepareDirect(context, identity, { ...input, receiverId })
  if (roomId !== undefined) return await prepareRoom(context, identity, { ...input, roomId })
  const ref = parseConversationId(conversationId!)
  if (ref?.kind === 'common') return await prepareCommon(context, identity, input)
  if (ref?.kind === 'room') return await prepareRoom(context, identity, { ...input, roomId: ref.roomId })
  const other = ref === null ? undefined : otherUser(ref, identity.userId)
  if (other === undefined) throw new TidelogError('NOT_FOUND')
  return await prepareDirect(context, identity, { ...input, receiverId: other })
}
