import { isShown } from '../chat/rules/view.ts'
import { type LogRow, type Rev, revOf } from '../log/model/types.ts'
import { changesAfter } from '../log/read/page.ts'
import type { Budget } from './budget.ts'
import type { SearchContext } from './context.ts'
import type { OwnConversation } from './own-conversations.ts'
import { type Place, type ScanPlace, comparePlaces, placeOf } from './place.ts'
import { type Query, matchesFilters, matchesText } from './query.ts'

/** Messages that one query reads. */
const rowsAtOnce = 100

interface Scanned {
  /** Conversation by conversation, in the order of their last changes. */
  hits: LogRow[]
  /** Where the scan continues; undefined: it has seen everything. */
  next: ScanPlace | undefined
}

/**
 * Looks through the messages that changed after the position of the index, so that a search is exact while the index is
 * behind.
 * @param handled up to which revs the index has them
 * @param behind only messages behind this place
 * @param from where an earlier call ended
 */
export async function scanUnindexed (
  { chat: { log } }: SearchContext, own: ReadonlyMap<string, OwnConversation>, handled: ReadonlyMap<string, Rev>,
  query: Query,
  { behind, from }: { behind: Place | undefined, from: ScanPlace | undefined }, budget: Budget
): Promise<Scanned> {
  const conversations = [...own.values()].sort((a, b) => a.head._id < b.head._id ? -1 : 1)
  const hits: LogRow[] = []
  for (const { head: { _id, headRev }, view } of conversations) {
    if (from !== undefined && _id < from.conversationId) continue
    let after = revOf(Math.max(handled.get(_id) ?? 0, from?.conversationId === _id ? from.after : 0))
    for (let hasMore = headRev > after; hasMore;) {
      if (budget.isSpent) return { hits, next: { conversationId: _id, after } }
      const page = await changesAfter(log.collections, _id, after, Math.min(rowsAtOnce, budget.rows))
      for (const stored of page.rows) {
        if (budget.isSpent) return { hits, next: { conversationId: _id, after } }
        after = stored.rev
        const row = stored.decode()
        await budget.take(row.message?.length ?? 0)
        if (row.kind === 'message' && isShown(view, row) && matchesFilters(query, row) &&
          (behind === undefined || comparePlaces(placeOf(row), behind) > 0) &&
          matchesText(query, row.message ?? '')) hits.push(row)
      }
      hasMore = page.hasMore
    }
  }
  return { hits, next: undefined }
}
