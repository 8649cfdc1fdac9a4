import type { DecodedCursor } from './cursor.ts'
import type { Head } from './types.ts'

/**
 * Can a reader go on behind this cursor? Not behind one of another life of the database, nor behind one that is ahead of the
 * head: it would stand for changes that are no more, and hide those that take their revs. Whoever holds such a cursor
 * begins anew. A purge is no reason: what it took away, its own change tells everybody who has not seen it yet.
 * @param head undefined where there is no such conversation
 */
export function isServable ({ rev, stale }: Pick<DecodedCursor, 'rev' | 'stale'>, head: Head | undefined): boolean {
  return !stale && rev <= (head?.headRev ?? 0)
}
