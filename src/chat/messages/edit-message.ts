import { TidelogError } from '../../errors.ts'
import type { RowPatch } from '../../log/commit/plan.ts'
import type { LogRow } from '../../log/model/types.ts'
import type { EditInput, Message } from '../../schemas/message.ts'
import type { ChatContext, PreparedCommit } from '../context.ts'
import { type RuleContext, actorOf, requireNotBlocked, requireStillMember, requireVisibleMessage } from '../access/access.ts'
import { mentionedIn } from './mentions.ts'
import { committedMessageFor, loadMessagePayload } from '../payload/load-payloads.ts'
import { storedContent } from './send-message.ts'
import type { Identity } from '../../users/identity.ts'

export interface ChangedMessage {
  message: Message
  rev: number
}

/**
 * Changes the content of the caller's own message. Sending the content that it already has changes nothing, whatever
 * `expectedRev` is: so a retry of a stored edit is no conflict.
 * @throws TidelogError VALIDATION, NOT_FOUND, NOT_ALLOWED (another's, deleted, too old, blocked), CONFLICT with the
 * stored message
 */
export async function editMessage (context: ChatContext, identity: Identity, input: EditInput): Promise<ChangedMessage> {
  return await (await prepareEdit(context, identity, input))()
}

export async function prepareEdit (context: ChatContext, identity: Identity, { messageId, content, mentions, expectedRev }: EditInput): Promise<PreparedCommit<ChangedMessage>> {
  context.countSend(identity.userId)
  const { row: found, entitlement: { ref } } = await requireVisibleMessage(context, identity, messageId)
  const { _id, conversationId } = found
  // Its files stay, so a message with files may lose its text.
  const message = storedContent(content, context.limits.messageCharsMax, found.attachments !== undefined)
  await requireNotBlocked(context, identity, ref)
  const mentioned = mentions === undefined ? undefined : await mentionedIn(context, identity, conversationId, mentions)
  const decide = editRule(context, identity, { message, mentioned, expectedRev })
  return async () => {
    const outcome = await context.log.commit({ mutations: [{ type: 'revise', conversationId, rowId: _id, decide, ...actorOf(identity, conversationId) }] })
    switch (outcome.outcome) {
      case 'committed':
      case 'unchanged': {
        const row = outcome.rows[0]!
        return { message: await committedMessageFor(context, row, identity), rev: row.rev }
      }
      case 'refused':
        throw outcome.error instanceof EditConflict
          ? new TidelogError('CONFLICT', undefined, { current: await loadMessagePayload(context, outcome.error.newer, identity) })
          : outcome.error
      case 'duplicate':
      case 'mismatch':
      case 'missing':
      case 'notMember': throw new TidelogError('NOT_FOUND')
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
