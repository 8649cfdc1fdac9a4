import { loadReferences } from '../chat/payload/message-payload.ts'
import { selfLogId } from '../log/model/types.ts'
import type { SyncInput } from '../schemas/sync.ts'
import { ResponseBuilder, type SyncResult } from './response.ts'
import type { SyncContext } from './context.ts'
import { type ConversationScan, snapshotMessagesMax, scanConversation } from './scan-conversation.ts'
import { type DueConversation, findDue } from './due.ts'
import type { Identity } from '../users/identity.ts'

/** Changes in an answer where the client names no limit, and at most. */
const changesMax = 500

export type PullInput = Omit<SyncInput, 'waitMs'>

/**
 * What changed for a user over all conversations since the cursors of a client. Heads are read before anything is scanned,
 * and a cursor never stands for more than the head that was read: what lands meanwhile is found by the next call. An
 * answer that says that there is more has moved at least one cursor.
 * @throws TidelogError BAD_CURSOR
 */
export async function pull (context: SyncContext, identity: Identity, input: PullInput): Promise<SyncResult> {
  return await buildResponse(context, identity, await findDue(context, identity, input), input)
}

/** As much of what is due as goes into one answer. */
export async function buildResponse (context: SyncContext, identity: Identity, due: readonly DueConversation[], { limit = changesMax, newest: snapshotPage = snapshotMessagesMax }: PullInput): Promise<SyncResult> {
  const answer = new ResponseBuilder(context, identity, { limit, newest: snapshotPage })
  let start = 0
  while (start < due.length && !answer.isFull) {
    const some = due.slice(start, start + answer.conversationsToScan(due, start))
    start += some.length
    const found = await Promise.all(some.map(async one => await scanConversation(context, identity, one, { limit: answer.rowsToScan, snapshotPage })))
    const [people, now] = await Promise.all([loadReferences(context.chat, found.flatMap(({ rows }) => rows)), recheck(context, identity, found)])
    for (const one of found) {
      if (!now.isStillMember(one.due)) continue
      one.isOutdated ||= now.isPurged(one.due)
      // Where heads move when their commit is known to be on disk, the next call would find nothing new before that.
      if (one.isOutdated) await context.chat.log.pendingCommit(one.due.head._id)
      answer.add(one, people)
    }
  }
  return answer.finish(start < due.length)
}

/** What is so after a scan. */
interface Recheck {
  /**
   * Whoever is a member now was one when everything that was scanned was written. Otherwise somebody who is removed in between
   * would be told what was said behind them.
   */
  isStillMember: (due: DueConversation) => boolean
  /**
   * More was purged since the head was read: rows of it may have gone under the scan, and the change that says so is behind
   * that head.
   */
  isPurged: (due: DueConversation) => boolean
}

async function recheck ({ chat: { log }, conversations }: SyncContext, identity: Identity, found: readonly ConversationScan[]): Promise<Recheck> {
  // One by one, so that they are read together with those of other answers.
  const [selfHead, ...now] = await Promise.all([log.head(selfLogId(identity.userId)), ...found.map(({ due: { head } }) => log.head(head._id))])
  const mine = await conversations.get(identity, selfHead)
  const isPurged = new Set(found.flatMap(({ due }, index) => (now[index]?.purgedSeq ?? 0) > (due.head.purgedSeq ?? 0) ? [due] : []))
  return {
    isStillMember: ({ place }) => mine.byWireId.get(place.wireId)?.joined?.joinedRev === place.joined?.joinedRev,
    isPurged: due => isPurged.has(due)
  }
}
