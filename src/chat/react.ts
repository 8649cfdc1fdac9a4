import type { Identity } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import type { Patch } from '../log/plan.ts'
import type { LogRow } from '../log/types.ts'
import type { ReactInput } from '../schemas/message.ts'
import type { ChatContext } from './context.ts'
import type { Changed } from './edit.ts'
import { type Asking, askedBy, refuseBlocked, requireMember, visibleMessage } from './entitled.ts'
import { hasReacted, isEmoji, reactionKindsMax, withReaction, withoutReaction } from './reactions.ts'
import { renderMessage } from './render.ts'
import type { Prepared } from './send.ts'

/**
 * Sets a reaction of the caller to a message, or takes it back; what is so already changes nothing.
 * @throws TidelogError VALIDATION (no emoji), NOT_FOUND, NOT_ALLOWED (deleted, full, blocked), RATE_LIMITED
 */
export async function react (context: ChatContext, identity: Identity, input: ReactInput): Promise<Changed> {
  return await (await prepareReact(context, identity, input))()
}

export async function prepareReact (context: ChatContext, identity: Identity, { messageId, emoji, on }: ReactInput): Promise<Prepared<Changed>> {
  context.countSend(identity.userId)
  if (!isEmoji(emoji)) throw new TidelogError('VALIDATION', 'emoji must be one emoji')
  const { row: { _id, conversationId }, entitlement: { ref } } = await visibleMessage(context, identity, messageId)
  if (on) await refuseBlocked(context, identity, ref)
  const decide = (row: LogRow, asking: Asking): Patch | null => {
    requireMember(row, asking)
    if (row.isDeleted === true && on) throw new TidelogError('NOT_ALLOWED', 'A deleted message takes no reactions')
    if (hasReacted(row.reactions, emoji, identity.id) === on) return null
    return on ? added(row, emoji, identity) : removed(row, emoji, identity)
  }
  return async () => {
    const outcome = await context.log.commit({ changes: [{ type: 'revise', conversationId, rowId: _id, decide, ...askedBy(identity, conversationId) }] })
    if (outcome.outcome === 'refused') throw outcome.error
    if (outcome.outcome !== 'committed' && outcome.outcome !== 'unchanged') throw new TidelogError('NOT_FOUND')
    const row = outcome.rows[0]!
    return { message: await renderMessage(context, row), rev: row.rev }
  }
}

function added ({ reactions = [] }: LogRow, emoji: string, { id }: Identity): Patch {
  const all = withReaction(reactions, emoji, id)
  if (all === null) throw new TidelogError('NOT_ALLOWED', `A message takes no more reactions than these, nor of more than ${reactionKindsMax} kinds`)
  return { set: { reactions: all } }
}

function removed ({ reactions = [] }: LogRow, emoji: string, { id }: Identity): Patch {
  const rest = withoutReaction(reactions, emoji, id)
  return rest.length === 0 ? { set: {}, unset: ['reactions'] } : { set: { reactions: rest } }
}
