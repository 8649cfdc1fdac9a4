import type { Identity } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import type { DeleteInput } from '../schemas/message.ts'
import type { ChatContext } from './context.ts'
import { parseConversationId } from './conversation-id.ts'
import type { Changed } from './edit.ts'
import { findMessage, visibleMessage } from './entitled.ts'
import { renderMessage } from './render.ts'
import type { Prepared } from './send.ts'

/**
 * Deletes a message: its sender at any time, and in a room or the common chat its moderators. A tombstone stays; its
 * content, listing and reference are gone. Deleting it again changes nothing.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
export async function deleteMessage (context: ChatContext, identity: Identity, input: DeleteInput): Promise<Changed> {
  return await (await prepareDelete(context, identity, input))()
}

export async function prepareDelete (context: ChatContext, identity: Identity, { messageId }: DeleteInput): Promise<Prepared<Changed>> {
  const { row, moderates } = await deletable(context, identity, messageId)
  if (!moderates && row.senderId?.equals(identity.id) !== true) throw new TidelogError('NOT_ALLOWED', 'Only the sender can delete this message')
  return async () => {
    const outcome = await context.log.commit({
      changes: [{
        type: 'revise',
        conversationId: row.conversationId,
        rowId: row._id,
        decide: ({ isDeleted }) => isDeleted === true ? null : { set: { isDeleted: true }, unset: ['message', 'listingId', 'replyTo', 'editedAt'] }
      }]
    })
    if (outcome.outcome === 'refused') throw outcome.error
    if (outcome.outcome !== 'committed' && outcome.outcome !== 'unchanged') throw new TidelogError('NOT_FOUND')
    const tombstone = outcome.rows[0]!
    return { message: await renderMessage(context, tombstone), rev: tombstone.rev }
  }
}

/** Administrators moderate every room, members of it or not, and the common chat; direct conversations have no moderators. */
async function deletable (context: ChatContext, identity: Identity, messageId: string) {
  if (identity.isAdmin) {
    const row = await findMessage(context, messageId)
    if (parseConversationId(row.conversationId)?.kind !== 'direct') return { row, moderates: true }
  }
  const { row, entitlement: { ref, member } } = await visibleMessage(context, identity, messageId)
  return { row, moderates: ref.kind === 'room' && (member?.role === 'owner' || member?.role === 'moderator') }
}
