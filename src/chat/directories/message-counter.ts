import { LRUCache } from 'lru-cache'
import { upTo } from '../../lib/up-to.ts'
import type { ConversationLog } from '../../log/conversation-log.ts'
import type { Head, Rev } from '../../log/model/types.ts'
import type { Identity } from '../../users/identity.ts'
import { type CountBasis, type View, countBasisOf, isSameBasis } from '../rules/view.ts'

/** One user's count in one conversation. */
export interface Counted {
  /** The read position and the view that were counted; a change of either needs a new count. */
  basis: CountBasis
  /** The count includes everything up to this rev. */
  rev: Rev
  count: number
}

/**
 * Counts unread messages of a kind, and caches the counts. No counter is stored, because edits and deletions would make
 * it wrong. A cached count is valid until the conversation, the read position or the view changes.
 */
export abstract class MessageCounter<C extends Counted = Counted> {
  protected readonly log: ConversationLog
  private readonly cache: LRUCache<string, C>

  /** @param max counts that are cached */
  constructor (log: ConversationLog, max = 100_000) {
    this.log = log
    this.cache = new LRUCache(upTo(max))
  }

  /** As `count`, without waiting; undefined: it is not cached. */
  peek ({ userId }: Pick<Identity, 'userId'>, head: Head, readSeq: number, view: View): number | undefined {
    const last = this.lastSeq(head)
    if (last === 0) return 0
    const basis = countBasisOf(view, readSeq, this.ignored(view))
    if (last <= basis.after) return 0
    const known = this.cache.get(placeOf(userId, head))
    return known !== undefined && known.rev >= head.headRev && isSameBasis(known.basis, basis) ? known.count : undefined
  }

  /** Visible unread messages of others, as of the head or later. */
  async count (identity: Identity, head: Head, readSeq: number, view: View): Promise<number> {
    const cached = this.peek(identity, head, readSeq, view)
    if (cached !== undefined) return cached
    const place = placeOf(identity.userId, head)
    const known = this.cache.get(place)
    const basis = countBasisOf(view, readSeq, this.ignored(view))
    const before = known !== undefined && isSameBasis(known.basis, basis) ? known : undefined
    const counted = await this.countAnew(identity, head, view, basis, before)
    this.cache.set(place, counted)
    return counted.count
  }

  /** The seq of the last message that can count; 0: there is none. */
  protected abstract lastSeq (head: Head): number

  /** Senders whose messages do not count. */
  protected abstract ignored (view: View): ReadonlySet<string>

  /** @param before an older count on the same basis */
  protected abstract countAnew (
    identity: Identity, head: Head, view: View, basis: CountBasis, before: C | undefined
  ): Promise<C>
}

function placeOf (userId: string, { _id }: Head): string {
  return `${userId} ${_id}`
}
