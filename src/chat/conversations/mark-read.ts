import { TidelogError } from '../../errors.ts'
import { seqOf } from '../../log/model/types.ts'
import type { MarkReadInput } from '../../schemas/message.ts'
import { apartFrom } from '../directories/block-directory.ts'
import { type ChatContext, type PreparedCommit, atOnce } from '../context.ts'
import { type ReadResult, markCommonRead } from './common-read.ts'
import { directId, otherUser, requireRef } from '../rules/conversation-id.ts'
import { requireCommittedByMember, requireVisibleMessage } from '../access/access.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Moves the caller's read position forward, never back. A seq beyond the end means the end.
 * @throws TidelogError NOT_FOUND to a stranger, NOT_ALLOWED for a public room that the caller has not joined
 */
export const markRead = atOnce(prepareMarkRead)

export async function prepareMarkRead (
  context: ChatContext, identity: Identity, { conversationId: given, seq }: MarkReadInput
): Promise<PreparedCommit<ReadResult>> {
  const ref = requireRef(given, identity.userId)
  if (ref.kind === 'common') return async () => await markCommonRead(context, identity, seq)
  const { conversationId } = ref
  const other = ref.kind === 'direct' ? otherUser(ref, identity.userId)! : undefined
  // If either user has blocked the other, the other does not see this read position.
  const isUnseen = other !== undefined && (await apartFrom(context.blocks, identity.userId, [other])).size > 0
  return async () => {
    const outcome = await context.log.commit({
      mutations: [
        { type: 'read', conversationId, userId: identity.id, seq: seqOf(seq), ...(isUnseen ? { isUnseen } : {}) }
      ]
    })
    const read = (await requireCommittedByMember(context, conversationId, outcome)).reads[0]!
    return { conversationId, seq: read.readSeq, at: read.readAt?.toISOString() ?? null }
  }
}

/** Marks a message and all messages before it as read. */
export async function markMessageRead (
  context: ChatContext, identity: Identity, messageId: string
): Promise<ReadResult> {
  const { row } = await requireVisibleMessage(context, identity, messageId)
  return await markRead(context, identity, { conversationId: row.conversationId, seq: row.seq! })
}

/** Marks all messages that the other user has sent as read. It is no error if there are none. */
export async function markConversationRead (
  context: ChatContext, identity: Identity, otherUserId: string
): Promise<ReadResult> {
  const conversationId = directId(identity.userId, otherUserId.toLowerCase())
  if (await context.log.head(conversationId) !== undefined) {
    return await markRead(context, identity, { conversationId, seq: Number.MAX_SAFE_INTEGER })
  }
  if (await context.users.get(otherUserId.toLowerCase()) === undefined) throw new TidelogError('USER_NOT_FOUND')
  return { conversationId, seq: 0, at: null }
}
