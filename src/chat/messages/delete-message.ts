import { TidelogError } from '../../errors.ts'
import type { RowPatch } from '../../log/commit/plan.ts'
import { noteEnd } from '../../files/sweep.ts'
import type { LogRow } from '../../log/model/types.ts'
import type { DeleteInput } from '../../schemas/message.ts'
import type { ChatContext } from '../context.ts'
import type { ChangedMessage } from './edit-message.ts'
import { type RuleContext, actorOf, requireModeratedMessage, requireStillMember } from '../access/access.ts'
import { committedMessageFor } from '../payload/load-payloads.ts'
import { deletionOf } from '../rules/tombstone.ts'
import type { Identity } from '../../users/identity.ts'
import type { PreparedCommit } from '../context.ts'

/**
 * Deletes a message. Its sender can do so at any time; moderators can in a room or the common chat. A tombstone
 * remains, without content, listing and reference. Deleting it again changes nothing.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
export async function deleteMessage (context: ChatContext, identity: Identity, input: DeleteInput): Promise<ChangedMessage> {
  return await (await prepareDelete(context, identity, input))()
}

export async function prepareDelete (context: ChatContext, identity: Identity, { messageId }: DeleteInput): Promise<PreparedCommit<ChangedMessage>> {
  const { row, isAdministrators } = await requireModeratedMessage(context, identity, messageId)
  const { _id, conversationId, attachments = [] } = row
  const decide = (row: LogRow, asking: RuleContext): RowPatch | null => {
    if (!isAdministrators) {
      requireStillMember(row, asking)
      const moderates = row.roomId !== undefined && asking.actor?.role !== 'member'
      if (!moderates && row.system !== undefined) {
        throw new TidelogError('NOT_ALLOWED', 'Only owners, moderators and administrators may delete an announcement')
      }
      if (!moderates && row.senderId?.equals(identity.id) !== true) throw new TidelogError('NOT_ALLOWED', 'Only the sender can delete this message')
    }
    return deletionOf(row)
  }
  return async () => {
    await noteEnd(context.files, attachments.map(file => file._id))
    const outcome = await context.log.commit({ mutations: [{ type: 'revise', conversationId, rowId: _id, decide, ...actorOf(identity, conversationId) }] })
    if (outcome.outcome === 'refused') throw outcome.error
    if (outcome.outcome !== 'committed' && outcome.outcome !== 'unchanged') throw new TidelogError('NOT_FOUND')
    const tombstone = outcome.rows[0]!
    return { message: await committedMessageFor(context, tombstone, identity), rev: tombstone.rev }
  }
}
