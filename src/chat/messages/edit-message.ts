import { TidelogError } from '../../errors.ts'
import type { RowPatch } from '../../log/commit/plan.ts'
import type { LogRow } from '../../log/model/types.ts'
import type { EditInput } from '../../schemas/message.ts'
import { type ChatContext, type PreparedCommit, atOnce } from '../context.ts'
import { type RuleContext, requireNotBlocked, requireStillMember, requireVisibleMessage } from '../access/access.ts'
import { mentionedIn } from './mentions.ts'
import { loadMessagePayload } from '../payload/load-payloads.ts'
import { type ChangedMessage, reviseMessage } from './revise-message.ts'
import { storedContent } from './send-message.ts'
import type { Identity } from '../../users/identity.ts'

/**
 * Changes the content of the caller's own message. Sending the content that it already has changes nothing, whatever
 * `expectedRev` is: so a retry of a stored edit is no conflict.
 * @throws TidelogError VALIDATION, NOT_FOUND, NOT_ALLOWED (another's, deleted, too old, blocked), CONFLICT with the
 * stored message
 */
export const editMessage = atOnce(prepareEdit)

export async function prepareEdit (
  context: ChatContext, identity: Identity, { messageId, content, mentions, expectedRev }: EditInput
): Promise<PreparedCommit<ChangedMessage>> {
  context.countSend(identity.userId)
  const { row, access: { ref } } = await requireVisibleMessage(context, identity, messageId)
  // Its files stay, so a message with files may lose its text.
  const message = storedContent(content, context.limits.messageCharsMax, row.attachments !== undefined)
  await requireNotBlocked(context, identity, ref)
  const mentioned =
    mentions === undefined ? undefined : await mentionedIn(context, identity, row.conversationId, mentions)
  const decide = editRule(context, identity, { message, mentioned, expectedRev })
  return async () => {
    try {
      return await reviseMessage(context, identity, row, decide)
    } catch (error) {
      if (!(error instanceof EditConflict)) throw error
      throw new TidelogError('CONFLICT', undefined, {
        current: await loadMessagePayload(context, error.newer, identity)
      })
    }
  }
}

/** The message has a newer rev than the edit expects. */
class EditConflict extends TidelogError {
  readonly newer: LogRow

  constructor (newer: LogRow) {
    super('CONFLICT')
    this.newer = newer
  }
}

interface Edit {
  message: string
  /** Undefined: they stay as they are. */
  mentioned: string[] | undefined
  expectedRev: number | undefined
}

/** The rule that the log asks when it commits the edit. */
function editRule (context: ChatContext, { id }: Identity, { message, mentioned, expectedRev }: Edit) {
  return (row: LogRow, asking: RuleContext): RowPatch | null => {
    requireStillMember(row, asking)
    if (row.senderId?.equals(id) !== true) throw new TidelogError('NOT_ALLOWED', 'Only the sender can edit a message')
    if (row.system !== undefined) throw new TidelogError('NOT_ALLOWED', 'An announcement cannot be edited')
    if (row.isDeleted === true) throw new TidelogError('NOT_ALLOWED', 'A deleted message cannot be edited')
    if (row.message === message && (mentioned === undefined || isSame(row.mentioned ?? [], mentioned))) return null
    if (expectedRev !== undefined && row.rev > expectedRev) throw new EditConflict(row)
    if (context.now() - row.createdAt.getTime() > context.limits.editWindowMs) {
      throw new TidelogError('NOT_ALLOWED', 'The message is too old to be edited')
    }
    const set = { message, editedAt: new Date(context.now()) }
    if (mentioned === undefined) return { set }
    return mentioned.length === 0 ? { set, unset: ['mentioned'] } : { set: { ...set, mentioned } }
  }
}

function isSame (a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && new Set([...a, ...b]).size === a.length
}
