import { TidelogError } from '../../errors.ts'
import type { RowPatch } from '../../log/commit/plan.ts'
import { noteEnd } from '../../files/sweep.ts'
import type { LogRow } from '../../log/model/types.ts'
import type { DeleteInput } from '../../schemas/message.ts'
import { type ChatContext, type PreparedCommit, atOnce } from '../context.ts'
import { type ChangedMessage, reviseMessage } from './revise-message.ts'
import { type RuleContext, requireModeratedMessage, requireStillMember } from '../access/access.ts'
import { deletionOf } from '../rules/tombstone.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Deletes a message. Its sender can do so at any time; moderators can in a room or the common chat. A tombstone
 * remains, without content, listing and reference. Deleting it again changes nothing.
 * @throws TidelogError NOT_FOUND, NOT_ALLOWED
 */
export const deleteMessage = atOnce(prepareDelete)

export async function prepareDelete (
  context: ChatContext, identity: Identity, { messageId }: DeleteInput
): Promise<PreparedCommit<ChangedMessage>> {
  const { row, isAdministrators } = await requireModeratedMessage(context, identity, messageId)
  const decide = (row: LogRow, asking: RuleContext): RowPatch | null => {
    if (!isAdministrators) {
      requireStillMember(row, asking)
      const moderates = row.roomId !== undefined && asking.actor?.role !== 'member'
      if (!moderates && row.system !== undefined) {
        throw new TidelogError('NOT_ALLOWED', 'Only owners, moderators and administrators may delete an announcement')
      }
      if (!moderates && row.senderId?.equals(identity.id) !== true) {
        throw new TidelogError('NOT_ALLOWED', 'Only the sender can delete this message')
      }
    }
    return deletionOf(row)
  }
  return async () => {
    await noteEnd(context.files, (row.attachments ?? []).map(file => file._id))
    return await reviseMessage(context, identity, row, decide)
  }
}
