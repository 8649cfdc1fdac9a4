import { loadReferences } from '../chat/payload/message-payload.ts'
import { selfLogId } from '../log/model/types.ts'
import type { SyncInput } from '../schemas/sync.ts'
import { ResponseBuilder, type SyncResult } from './response.ts'
import type { SyncContext } from './context.ts'
import { type ConversationScan, snapshotMessagesMax, scanConversation } from './scan-conversation.ts'
import { type DueConversation, findDue } from './due.ts'
import type { Identity } from '../users/identity.ts'

/** Changes in a response, by default and at most. */
const changesMax = 500

export type PullInput = Omit<SyncInput, 'waitMs'>

/**
 * The changes of all of a user's conversations since a client's cursors. Heads are read before any scan, and a cursor
 * never stands for more than the head that was read: the next call finds later commits. A response with `hasMore` has
 * moved at least one cursor.
 * @throws TidelogError BAD_CURSOR
 */
export async function pull (context: SyncContext, identity: Identity, input: PullInput): Promise<SyncResult> {
  return await buildResponse(context, identity, await findDue(context, identity, input), input)
}

/** Fills one response with as much as fits. */
export async function buildResponse (
  context: SyncContext,
  identity: Identity,
  due: readonly DueConversation[],
  { limit = changesMax, newest: snapshotPage = snapshotMessagesMax }: PullInput
): Promise<SyncResult> {
  const answer = new ResponseBuilder(context, identity, { limit, newest: snapshotPage })
  let start = 0
  while (start < due.length && !answer.isFull) {
    const some = due.slice(start, start + answer.conversationsToScan(due, start))
    start += some.length
    const found = await Promise.all(
      some.map(
        async one => await scanConversation(context, identity, one, { limit: answer.rowsToScan, snapshotPage })
      )
    )
    const [people, now] = await Promise.all([
      loadReferences(
        context.chat, found.flatMap(({ rows }) => rows)
      ),
      recheck(context, identity, found)
    ])
    for (const one of found) {
      if (!now.isStillMember(one.due)) continue
      one.isOutdated ||= now.isPurged(one.due)
      // If heads move only when a commit is on disk, the next call would find nothing new before that.
      if (one.isOutdated) await context.chat.log.pendingCommit(one.due.head._id)
      answer.add(one, people)
    }
  }
  return answer.finish(start < due.length)
}

/** Facts that are read again after a scan. */
interface Recheck {
  /**
   * Is the user still a member? If so, they were one when all scanned rows were written. Otherwise a user who was
   * removed in between would see what was written after the removal.
   */
  isStillMember: (due: DueConversation) => boolean
  /**
   * Was more purged since the head was read? Then rows may have been deleted during the scan, and the row of the purge
   * is above that head.
   */
  isPurged: (due: DueConversation) => boolean
}

async function recheck (
  { chat: { log }, conversations }: SyncContext, identity: Identity, found: readonly ConversationScan[]
): Promise<Recheck> {
  // Separate calls, so that they share a read with those of other responses.
  const [selfHead, ...now] = await Promise.all([
    log.head(selfLogId(identity.userId)), ...found.map(({ due: { head } }) => log.head(head._id))
  ])
  const mine = await conversations.get(identity, selfHead)
  const isPurged = new Set(
    found.flatMap(({ due }, index) => ((now[index]?.purgedSeq ?? 0) > (due.head.purgedSeq ?? 0) ? [due] : []))
  )
  return {
    isStillMember: ({ conversation: { wireId, joined } }) =>
      mine.byWireId.get(wireId)?.joined?.joinedRev === joined?.joinedRev,
    isPurged: due => isPurged.has(due)
  }
}
