import type { ChatContext } from '../context.ts'
import { objectId, parseConversationId } from '../rules/conversation-id.ts'
import { type ReadSeqs, noReads } from './message-payload.ts'

/** How far the two of a direct conversation have read it now; messages of other conversations do not show it. */
export async function readSeqsOf ({ log }: ChatContext, conversationId: string): Promise<ReadSeqs> {
  const ref = parseConversationId(conversationId)
  if (ref?.kind !== 'direct') return noReads
  const members = await Promise.all(ref.userIds.map(userId => log.member(conversationId, objectId(userId))))
  return new Map(members.flatMap(member => member === undefined ? [] : [[member.userId.toHexString(), member.readSeq]]))
}
