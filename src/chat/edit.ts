import type { Identity } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import type { Patch } from '../log/plan.ts'
import type { LogRow } from '../log/types.ts'
import type { EditInput, Message } from '../schemas/message.ts'
import type { ChatContext } from './context.ts'
import { type Asking, askedBy, refuseBlocked, requireMember, visibleMessage } from './entitled.ts'
import { mentionedIn } from './messages/mentions.ts'
import { renderMessage } from './render.ts'
import { type Prepared, storedContent } from './send.ts'

export interface Changed {
  message: Message
  rev: number
}

/**
 * Changes the content of an own message. The content that it has already changes nothing, whatever `expectedRev` says:
 * a retry of an edit that was stored is not a conflict.
 * @throws TidelogError VALIDATION, NOT_FOUND, NOT_ALLOWED (another's, deleted, too old, blocked), CONFLICT with the stored message
 */
export async function editMessage (context: ChatContext, identity: Identity, input: EditInput): Promise<Changed> {
  return await (await prepareEdit(context, identity, input))()
}

export async function prepareEdit (context: ChatContext, identity: Identity, { messageId, content, mentions, expectedRev }: EditInput): Promise<Prepared<Changed>> {
  context.countSend(identity.userId)
  const message = storedContent(content, context.limits.messageCharsMax)
  const { row: { _id, conversationId }, entitlement: { ref } } = await visibleMessage(context, identity, messageId)
  await refuseBlocked(context, identity, ref)
  const mentioned = mentions === undefined ? undefined : await mentionedIn(context, identity, conversationId, mentions)
  let newer: LogRow | undefined
  const decide = (row: LogRow, asking: Asking): Patch | null => {
    requireMember(row, asking)
    if (row.senderId?.equals(identity.id) !== true) throw new TidelogError('NOT_ALLOWED', 'Only the sender can edit a message')
    if (row.isDeleted === true) throw new TidelogError('NOT_ALLOWED', 'A deleted message cannot be edited')
    if (row.message === message && (mentioned === undefined || isSame(row.mentioned ?? [], mentioned))) return null
    if (expectedRev !== undefined && row.rev > expectedRev) {
      newer = row
      throw new TidelogError('CONFLICT')
    }
    if (context.now() - row.createdAt.getTime() > context.limits.editWindowMs) throw new TidelogError('NOT_ALLOWED', 'The message is too old to be edited')
    const set = { message, editedAt: new Date(context.now()) }
    if (mentioned === undefined) return { set }
    return mentioned.length === 0 ? { set, unset: ['mentioned'] } : { set: { ...set, mentioned } }
  }
  return async () => {
    const outcome = await context.log.commit({ changes: [{ type: 'revise', conversationId, rowId: _id, decide, ...askedBy(identity, conversationId) }] })
    switch (outcome.outcome) {
      case 'committed':
      case 'unchanged': {
        const row = outcome.rows[0]!
        return { message: await renderMessage(context, row), rev: row.rev }
      }
      case 'refused':
        throw newer === undefined || outcome.error.code !== 'CONFLICT'
          ? outcome.error
          : new TidelogError('CONFLICT', undefined, { current: await renderMessage(context, newer) })
      case 'duplicate':
      case 'mismatch':
      case 'missing':
      case 'notMember': throw new TidelogError('NOT_FOUND')
    }
  }
}

function isSame (a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && new Set([...a, ...b]).size === a.length
}
