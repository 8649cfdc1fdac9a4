import { selfLogId, seqOf } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { commonChatId } from '../rules/conversation-id.ts'
import { requireCommitted } from '../rules/outcome.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * The common chat has no members. Your read position in it is stored in your self log only, and other users do not see
 * it.
 */

/** Moves the caller's read position in the common chat forward, never back; beyond the end means the end. */
export async function markCommonRead (
  { log, now }: ChatContext, { userId }: Identity, seq: number
): Promise<ReadResult> {
  const headSeq = (await log.head(commonChatId))?.headSeq ?? 0
  const readSeq = seqOf(Math.min(seq, headSeq))
  const { rows: [row] } = requireCommitted(await log.commit({
    mutations: [{
      type: 'put',
      conversationId: selfLogId(userId),
      kind: 'read',
      subject: commonChatId,
      decide: row => (row?.readSeq ?? 0) >= readSeq ? null : { about: commonChatId, readSeq, readAt: new Date(now()) },
      open: { kind: 'self', members: [] }
    }]
  }))
  return { conversationId: commonChatId, seq: row?.readSeq ?? 0, at: row?.readAt?.toISOString() ?? null }
}

export interface ReadResult {
  conversationId: string
  /** Everything up to this seq is read. */
  seq: number
  /** Time of the last change; null: nothing is read yet. */
  at: string | null
}
