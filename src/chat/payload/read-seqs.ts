import { asShown } from '../../log/commit/apply-mutation.ts'
import type { ChatContext } from '../context.ts'
import { objectId, parseConversationId } from '../rules/conversation-id.ts'
import { type ReadSeqs, noReads } from './message-payload.ts'

/**
 * The current read positions of a direct conversation's two users, as far as the other may see them. Messages of other
 * conversations do not show them.
 * @param viewerId this user sees their own position in full
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
