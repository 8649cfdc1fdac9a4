import { asShown } from '../../log/commit/apply-mutation.ts'
import type { ChatContext } from '../context.ts'
import { objectId, parseConversationId } from '../rules/conversation-id.ts'
import { type ReadSeqs, noReads } from './message-payload.ts'

/**
 * How far the two of a direct conversation have read it now, as far as the other is told; messages of other conversations do
 * not show it.
 * @param viewerId who sees all of their own position
 */
export async function readSeqsOf ({ log }: ChatContext, conversationId: string, viewerId?: string): Promise<ReadSeqs> {
  const ref = parseConversationId(conversationId)
  if (ref?.kind !== 'direct') return noReads
  const members = await Promise.all(ref.userIds.map(userId => log.member(conversationId, objectId(userId))))
  return new Map(members.flatMap((member, index) => {
    const userId = ref.userIds[index]!
    return member === undefined ? [] : [[userId, (userId === viewerId ? member : asShown(member)).readSeq]]
  }))
}
