import type { Identity } from '../auth/identity.ts'
import { gather } from '../chat/payload.ts'
import { selfLogId } from '../log/types.ts'
import type { SyncInput } from '../schemas/sync.ts'
import { Answer, type Pulled } from './answer.ts'
import type { SyncContext } from './context.ts'
import { type Found, newestMax, read } from './found.ts'
import { type Due, look } from './look.ts'

/** Changes in an answer where the client names no limit, and at most. */
export const changesMax = 500

export type PullInput = Omit<SyncInput, 'waitMs'>

/**
 * What changed for a user over all conversations since the cursors of a client. Heads are read before anything is scanned,
 * and a cursor never stands for more than the head that was read: what lands meanwhile is found by the next call. An
 * answer that says that there is more has moved at least one cursor.
 * @throws TidelogError BAD_CURSOR
 */
export async function pull (context: SyncContext, identity: Identity, input: PullInput): Promise<Pulled> {
  return await fill(context, identity, await look(context, identity, input), input)
}

/** As much of what is due as goes into one answer. */
export async function fill (context: SyncContext, identity: Identity, due: readonly Due[], { limit = changesMax, newest = newestMax }: PullInput): Promise<Pulled> {
  const answer = new Answer(context, identity, { limit, newest })
  let start = 0
  while (start < due.length && !answer.isFull) {
    const some = due.slice(start, start + answer.worthReading(due, start))
    start += some.length
    const found = await Promise.all(some.map(async one => await read(context, identity, one, { limit: answer.worthScanning, newest })))
    const [people, now] = await Promise.all([gather(context.chat, found.flatMap(({ rows }) => rows)), lookAgain(context, identity, found)])
    for (const one of found) {
      if (!now.isMine(one.due)) continue
      one.hasMoved ||= now.isPurged(one.due)
      // Where heads move when their commit is known to be on disk, the next call would find nothing new before that.
      if (one.hasMoved) await context.chat.log.settled(one.due.head._id)
      answer.add(one, people)
    }
  }
  return answer.done(start < due.length)
}

/** What is so after a scan. */
interface SecondLook {
  /**
   * Whoever is a member now was one when everything that was scanned was written. Otherwise somebody who is removed in between
   * would be told what was said behind them.
   */
  isMine: (due: Due) => boolean
  /**
   * More was purged since the head was read: rows of it may have gone under the scan, and the change that says so is behind
   * that head.
   */
  isPurged: (due: Due) => boolean
}

async function lookAgain ({ chat: { log }, places }: SyncContext, identity: Identity, found: readonly Found[]): Promise<SecondLook> {
  // One by one, so that they are read together with those of other answers.
  const [selfHead, ...now] = await Promise.all([log.head(selfLogId(identity.userId)), ...found.map(({ due: { head } }) => log.head(head._id))])
  const mine = await places.of(identity, selfHead)
  const isPurged = new Set(found.flatMap(({ due }, index) => (now[index]?.purgedSeq ?? 0) > (due.head.purgedSeq ?? 0) ? [due] : []))
  return {
    isMine: ({ place }) => mine.byWireId.get(place.wireId)?.joined?.joinedRev === place.joined?.joinedRev,
    isPurged: due => isPurged.has(due)
  }
}
