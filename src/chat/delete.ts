import type { Identity } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import type { Patch } from '../log/plan.ts'
import type { LogRow } from '../log/types.ts'
import type { DeleteInput } from '../schemas/message.ts'
import type { ChatContext } from './context.ts'
import { parseConversationId } from './conversation-id.ts'
import type { Changed } from './edit.ts'
import { type Asking, askedBy, findMessage, requireMember, visibleMessage } from './entitled.ts'
import { renderMessage } from './render.ts'
import type { Prepared } from './send.ts'
import { contentFields } from './tombstone.ts'

/**
 * Deletes a message: its sender at any time, and in a room or the common chat its moderators. A tombstone stays; its
 * content, listing and reference are gone. Deleting it again changes nothing.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
export async function deleteMessage (context: ChatContext, identity: Identity, input: DeleteInput): Promise<Changed> {
  return await (await prepareDelete(context, identity, input))()
}

export async function prepareDelete (context: ChatContext, identity: Identity, { messageId }: DeleteInput): Promise<Prepared<Changed>> {
  const { row: { _id, conversationId }, isAdministrators } = await deletable(context, identity, messageId)
  const decide = (row: LogRow, asking: Asking): Patch | null => {
    if (!isAdministrators) {
      requireMember(row, asking)
      const moderates = row.roomId !== undefined && asking.actor?.role !== 'member'
      if (!moderates && row.senderId?.equals(identity.id) !== true) throw new TidelogError('NOT_ALLOWED', 'Only the sender can delete this message')
    }
    return row.isDeleted === true ? null : { set: { isDeleted: true }, unset: contentFields }
  }
  return async () => {
    const outcome = await context.log.commit({ changes: [{ type: 'revise', conversationId, rowId: _id, decide, ...askedBy(identity, conversationId) }] })
    if (outcome.outcome === 'refused') throw outcome.error
    if (outcome.outcome !== 'committed' && outcome.outcome !== 'unchanged') throw new TidelogError('NOT_FOUND')
    const tombstone = outcome.rows[0]!
    return { message: await renderMessage(context, tombstone), rev: tombstone.rev }
  }
}

/** Administrators moderate every room, members of it or not, and the common chat; direct conversations have no moderators. */
async function deletable (context: ChatContext, identity: Identity, messageId: string): Promise<{ row: LogRow, isAdministrators: boolean }> {
  if (identity.isAdmin) {
    const row = await findMessage(context, messageId)
    if (parseConversationId(row.conversationId)?.kind !== 'direct') return { row, isAdministrators: true }
  }
  const { row } = await visibleMessage(context, identity, messageId)
  return { row, isAdministrators: false }
}
