import { TidelogError } from '../../errors.ts'
import type { RowPatch } from '../../log/commit/plan.ts'
import type { LogRow } from '../../log/model/types.ts'
import type { ReactInput } from '../../schemas/message.ts'
import { type ChatContext, type PreparedCommit, atOnce } from '../context.ts'
import { type ChangedMessage, reviseMessage } from './revise-message.ts'
import { type RuleContext, requireNotBlocked, requireStillMember, requireVisibleMessage } from '../access/access.ts'
import { hasReacted, isEmoji, reactionKindsMax, withReaction, withoutReaction } from '../rules/reactions.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Adds or removes the caller's reaction to a message. If nothing would change, nothing is committed.
 * @throws TidelogError VALIDATION (no emoji), NOT_FOUND, NOT_ALLOWED (deleted, full, blocked), RATE_LIMITED
 */
export const react = atOnce(prepareReact)

export async function prepareReact (
  context: ChatContext, identity: Identity, { messageId, emoji, on }: ReactInput
): Promise<PreparedCommit<ChangedMessage>> {
  context.countSend(identity.userId)
  if (!isEmoji(emoji)) throw new TidelogError('VALIDATION', 'emoji must be one emoji')
  const { row, access: { ref } } = await requireVisibleMessage(context, identity, messageId)
  if (on) await requireNotBlocked(context, identity, ref)
  const decide = (row: LogRow, asking: RuleContext): RowPatch | null => {
    requireStillMember(row, asking)
    if (row.isDeleted === true && on) throw new TidelogError('NOT_ALLOWED', 'A deleted message cannot have reactions')
    if (hasReacted(row.reactions, emoji, identity.id) === on) return null
    return on ? added(row, emoji, identity) : removed(row, emoji, identity)
  }
  return async () => await reviseMessage(context, identity, row, decide)
}

function added ({ reactions = [] }: LogRow, emoji: string, { id }: Identity): RowPatch {
  const all = withReaction(reactions, emoji, id)
  if (all === null) {
    throw new TidelogError(
      'NOT_ALLOWED', `This message cannot have more reactions (of at most ${reactionKindsMax} kinds)`
    )
  }
  return { set: { reactions: all } }
}

function removed ({ reactions = [] }: LogRow, emoji: string, { id }: Identity): RowPatch {
  const rest = withoutReaction(reactions, emoji, id)
  return rest.length === 0 ? { set: {}, unset: ['reactions'] } : { set: { reactions: rest } }
}
