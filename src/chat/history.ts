import type { Identity } from '../auth/identity.ts'
import { TidelogError } from '../errors.ts'
import type { Position } from '../log/cursor.ts'
import { type Page, messagesBefore } from '../log/page.ts'
import { type Head, type Seq, revOf, seqOf } from '../log/types.ts'
import type { ChatContext } from './context.ts'
import { directId } from './conversation-id.ts'
import { entitlement } from './entitled.ts'
import { type StoredMessages, writeMessages } from './message-json.ts'
import { gather, nobody, nobodyRead } from './payload.ts'
import { readSeqsOf } from './read-seqs.ts'
import { ownView } from './own-view.ts'
import { type View, isShown } from './view.ts'

/** Messages in ascending seq, tombstones among them. */
export interface HistoryPage extends StoredMessages {
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
  // The head comes first: what changes during the scan is then newer than `asOf`.
  const { ref, head, member } = await entitlement(context, identity, conversationId)
  if (head === undefined) {
    return { rows: [], people: nobody, readSeqs: nobodyRead, hasMore: false, asOf: asOf(context, identity, ref.conversationId, { rev: revOf(0), clock: 0, generation: 0 }) }
  }
  const view = await ownView(context, identity, head, member)
  if (view === null) throw new TidelogError('NOT_FOUND')
  const [page, readSeqs] = await Promise.all([
    shownBefore(context, head, view, before === undefined ? undefined : seqOf(before), limit),
    readSeqsOf(context, head._id)
  ])
  return {
    rows: page.rows.reverse(),
    people: await gather(context, page.rows),
    readSeqs,
    hasMore: page.hasMore,
    asOf: asOf(context, identity, head._id, { rev: head.headRev, clock: head.clock.getTime(), generation: view.generation })
  }
}

/** A page of what is shown; it is empty only at the end, or nobody could ask for the next one. */
async function shownBefore ({ log }: ChatContext, head: Head, view: View, before: Seq | undefined, limit: number): Promise<Page> {
  for (let end = before; ;) {
    const { rows, hasMore } = await messagesBefore(log.collections, head._id, end, limit)
    const last = rows.at(-1)?.seq
    const more = hasMore && last !== undefined && last > view.fromSeq + 1
    const shown = rows.filter(row => isShown(view, row))
    if (shown.length > 0 || !more) return { rows: shown, hasMore: more }
    end = last
  }
}

function asOf ({ log }: ChatContext, { userId }: Identity, conversationId: string, position: Position): HistoryPage['asOf'] {
  return { rev: position.rev, cursor: log.cursors.encode(userId, conversationId, position) }
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

/** The page as JSON. */
export function writeHistory (page: HistoryPage): Buffer {
  return writeMessages(page, `"hasMore":${String(page.hasMore)},"asOf":{"rev":${page.asOf.rev},"cursor":"${page.asOf.cursor}"}`)
}
