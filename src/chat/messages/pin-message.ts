import { TidelogError } from '../../errors.ts'
import type { LogRow } from '../../log/model/types.ts'
import type { PinInput } from '../../schemas/message.ts'
import {
  type RuleContext, actorOf, requireModeratedMessage, requireNotBlocked, requireStillMember
} from '../access/access.ts'
import { type ChatContext, type PreparedCommit, atOnce } from '../context.ts'
import { pinAnnouncement } from '../payload/announcements.ts'
import { pinnedIds } from '../payload/pinned-ids.ts'
import { parseConversationId } from '../rules/conversation-id.ts'
import { requireCommitted } from '../rules/outcome.ts'
import type { Identity } from '../../users/identity.ts'

export interface ChangedPins {
  conversationId: string
  /** The pinned messages in the order in which they were pinned. */
  messageIds: string[]
  /** The rev of the pins; 0: nothing was ever pinned here. */
  rev: number
}

/**
 * Pins a message in its conversation, or ends that. In a direct conversation both users may do so, in a room its owner
 * and moderators, and administrators there and in the common chat. Repeating it changes nothing.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED (not theirs to pin, deleted, full, blocked), RATE_LIMITED
 */
export const pinMessage = atOnce(preparePin)

export async function preparePin (
  context: ChatContext, identity: Identity, { messageId, on }: PinInput
): Promise<PreparedCommit<ChangedPins>> {
  context.countSend(identity.userId)
  const { row: { _id, conversationId }, isAdministrators } = await requireModeratedMessage(context, identity, messageId)
  const ref = parseConversationId(conversationId)!
  if (on) await requireNotBlocked(context, identity, ref)
  const check = (row: LogRow, asking: RuleContext): void => {
    if (!isAdministrators) {
      requireStillMember(row, asking)
      const may = ref.kind === 'direct' || (ref.kind === 'room' && asking.actor?.role !== 'member')
      const who = ref.kind === 'room' ? 'the owner and moderators of the room' : 'administrators'
      if (!may) throw new TidelogError('NOT_ALLOWED', `Only ${who} may pin messages here`)
    }
    if (row.isDeleted === true && on) throw new TidelogError('NOT_ALLOWED', 'A deleted message cannot be pinned')
  }
  const announce = ref.kind === 'room' && on
    ? { announce: await pinAnnouncement(context, identity, conversationId, _id) }
    : {}
  return async () => {
    const { rows: [row] } = requireCommitted(await context.log.commit({
      mutations: [{
        type: 'pin', conversationId, rowId: _id, on, check, ...actorOf(identity, conversationId), ...announce
      }]
    }))
    return { conversationId, messageIds: pinnedIds(row), rev: row?.rev ?? 0 }
  }
}
