import type { Page } from '../../log/read/page.ts'
import type { Head, Member, Seq } from '../../log/model/types.ts'
import { seqOf } from '../../log/model/types.ts'

/**
 * Pure decisions of the sync by time. The times of a direct conversation strictly increase with rev. A head's clock is
 * the latest time assigned when the head was read: a scan that starts later sees everything up to it.
 */

/**
 * The time that the client sends with its next call. It is never later than the clock of the head that was read before
 * the scan: the scan may find newer rows, but the response may lack a read position that moved since.
 */
export function pageTime (page: Page<{ updatedAt: Date }>, head: Head): Date {
  const last = page.rows.at(-1)
  return page.hasMore && last !== undefined && last.updatedAt < head.clock ? last.updatedAt : head.clock
}

/**
 * The seqs of the caller's messages that the other user has read since a time: above `after`, up to `through`. Null:
 * none. If the trail has dropped older moves, the range may begin earlier than necessary, never later.
 */
export function readRangeSince (
  member: Member | undefined, since: Date, until: Date | null
): { after: Seq, through: Seq } | null {
  if (member?.readAt === undefined || member.readAt <= since) return null
  const trail = member.readTrail ?? []
  const before = trail.filter(({ at }) => at <= since).at(-1)?.seq ?? seqOf(0)
  // A page that is not the last reports reads up to its own time. The next call continues there.
  const through =
    until === null || member.readAt <= until ? member.readSeq : trail.filter(({ at }) => at <= until).at(-1)?.seq
  return through === undefined || through <= before ? null : { after: before, through }
}
