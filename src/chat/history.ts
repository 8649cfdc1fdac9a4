import type { Identity } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import { messagesBefore } from '../log/page.ts'
import { revOf, seqOf } from '../log/types.ts'
import type { Message } from '../schemas/message.ts'
import type { ChatContext } from './context.ts'
import { directId } from './conversation-id.ts'
import { entitlement } from './entitled.ts'
import { renderMessages } from './render.ts'

export interface HistoryPage {
  /** In ascending seq, tombstones among them. */
  messages: Message[]
  hasMore: boolean
  /** Whoever syncs from here learns of every change that this page may not show. */
  asOf: { rev: number, cursor: string }
}

/**
 * A page of a conversation's messages, the newest or those before a seq.
 * @throws TidelogError NOT_FOUND to a stranger, NOT_ALLOWED for a public room that was not joined
 */
export async function history (
  context: ChatContext, identity: Identity, conversationId: string, { before, limit = 50 }: { before?: number, limit?: number }
): Promise<HistoryPage> {
  const { ref } = await entitlement(context, identity, conversationId)
  // The head comes first: what changes during the scan is then newer than `asOf`.
  const head = await context.log.head(ref.conversationId)
  const rev = head?.headRev ?? revOf(0)
  const page = head === undefined
    ? { rows: [], hasMore: false }
    : await messagesBefore(context.log.collections, ref.conversationId, before === undefined ? undefined : seqOf(before), limit)
  return {
    messages: await renderMessages(context, page.rows.reverse()),
    hasMore: page.hasMore,
    asOf: { rev, cursor: context.log.cursors.encode(identity.userId, ref.conversationId, rev) }
  }
}

/** The page of a conversation with another user, empty where nobody has written yet. @throws TidelogError USER_NOT_FOUND */
export async function directHistory (
  context: ChatContext, identity: Identity, otherUserId: string, page: { before?: number, limit?: number }
): Promise<HistoryPage> {
  const other = otherUserId.toLowerCase()
  const found = await history(context, identity, directId(identity.userId, other), page)
  if (found.asOf.rev === 0 && await context.users.get(other) === undefined) throw new TidelogError('USER_NOT_FOUND')
  return found
}
