import type { Page } from '../../log/read/page.ts'
import type { Head, Member, Seq } from '../../log/model/types.ts'
import { seqOf } from '../../log/model/types.ts'

/**
 * Decisions of the sync by time, on plain values. Times of a direct conversation strictly increase with rev, and a head's
 * clock is the greatest that was given out when it was read: everything up to it is visible to a scan that starts later.
 */

/**
 * Where the time stands that a client of a page feeds back, never beyond the head that was read before the scan: a
 * read position that moved since then may be missing from this answer, though rows that are newer are in it.
 */
export function pageTime (page: Page<{ updatedAt: Date }>, head: Head): Date {
  const last = page.rows.at(-1)
  return page.hasMore && last !== undefined && last.updatedAt < head.clock ? last.updatedAt : head.clock
}

/**
 * The seqs of own messages that the other has read since a time: after `after`, through `through`; null for none.
 * Where more moves were made than are remembered, it may reach further back, never less far.
 */
export function readRangeSince (member: Member | undefined, since: Date, until: Date | null): { after: Seq, through: Seq } | null {
  if (member?.readAt === undefined || member.readAt <= since) return null
  const trail = member.readTrail ?? []
  const before = trail.filter(({ at }) => at <= since).at(-1)?.seq ?? seqOf(0)
  // A page that is not the last tells of reads up to its own time: the next one asks from there.
  const through = until === null || member.readAt <= until ? member.readSeq : trail.filter(({ at }) => at <= until).at(-1)?.seq
  return through === undefined || through <= before ? null : { after: before, through }
}
