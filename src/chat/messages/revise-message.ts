import type { RowPatch } from '../../log/commit/plan.ts'
import type { LogRow } from '../../log/model/types.ts'
import type { Message } from '../../schemas/message.ts'
import type { Identity } from '../../users/identity.ts'
import { type RuleContext, actorOf } from '../access/access.ts'
import type { ChatContext } from '../context.ts'
import { committedMessageFor } from '../payload/load-payloads.ts'
import { requireCommitted } from '../rules/outcome.ts'

export interface ChangedMessage {
  message: Message
  rev: number
}

/**
 * Commits a change to a stored message.
 * @param decide asked at the commit; null: nothing is to be changed
 * @throws TidelogError NOT_FOUND, and what `decide` throws
 */
export async function reviseMessage (
  context: ChatContext, identity: Identity, { _id, conversationId }: LogRow,
  decide: (row: LogRow, asking: RuleContext) => RowPatch | null
): Promise<ChangedMessage> {
  const { rows } = requireCommitted(await context.log.commit({
    mutations: [{ type: 'revise', conversationId, rowId: _id, decide, ...actorOf(identity, conversationId) }]
  }))
  const row = rows[0]!
  return { message: await committedMessageFor(context, row, identity), rev: row.rev }
}
