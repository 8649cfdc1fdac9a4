import type { Filter, ObjectId } from 'mongodb'
import { indexNames } from '../../log/model/collections.ts'
import type { Head, LogRow, Seq } from '../../log/model/types.ts'
import { objectId } from '../rules/conversation-id.ts'
import type { CountBasis, View } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'
import { type Counted, MessageCounter } from './message-counter.ts'

/** Highest exact count of unread messages in one conversation. */
export const unreadMax = 1_000

/** Changes since the last count that are read. If there are more, the messages are counted anew. */
const changesMax = 100

interface CountedUnread extends Counted {
  /** The seq of the last message at that time. */
  seq: Seq
  /** No change came during the count, so later changes can be added to it. */
  isExact: boolean
}

/**
 * Counts unread messages on an index, system messages apart: at most `unreadMax` + 1, which means more. In a busy room
 * the next count adds the changes since the last one. So its cost depends neither on the number of unread messages nor
 * on the user's own messages.
 */
export class UnreadCounter extends MessageCounter<CountedUnread> {
  protected lastSeq ({ headSeq }: Head): number {
    return headSeq
  }

  protected ignored ({ hidden }: View): ReadonlySet<string> {
    return hidden
  }

  protected async countAnew (
    { id }: Identity, head: Head, { hidden, hiddenSeqs }: View, basis: CountBasis, before: CountedUnread | undefined
  ): Promise<CountedUnread> {
    const counts = ({ senderId, seq, messageType }: LogRow) =>
      messageType !== 'system' && !senderId!.equals(id) && !hiddenSeqs.includes(seq!) &&
      (hidden.size === 0 || !hidden.has(senderId!.toHexString()))
    const counted = before?.isExact === true ? await this.countFrom(before, head, counts) : undefined
    return counted ?? await this.countAll(basis, head, [id, ...[...hidden].map(objectId)], hiddenSeqs)
  }

  private async countAll (
    basis: CountBasis, head: Head, except: ObjectId[], hiddenSeqs: readonly Seq[]
  ): Promise<CountedUnread> {
    const filter: Filter<LogRow> = {
      conversationId: head._id,
      seq: { $gt: basis.after, $lte: head.headSeq, ...(hiddenSeqs.length === 0 ? {} : { $nin: [...hiddenSeqs] }) },
      senderId: { $nin: except },
      messageType: { $ne: 'system' },
      isDeleted: { $exists: false }
    }
    const count = await this.log.collections.rows
      .countDocuments(filter, { limit: unreadMax + 1, hint: indexNames.bySeq })
    const now = await this.log.head(head._id)
    return { basis, rev: head.headRev, seq: head.headSeq, count, isExact: now?.headRev === head.headRev }
  }

  /** The cached count with the changes since; undefined if it cannot be derived. */
  private async countFrom (
    known: CountedUnread, head: Head, counts: (row: LogRow) => boolean
  ): Promise<CountedUnread | undefined> {
    const rows = await this.log.collections.rows
      .find(
        { conversationId: head._id, rev: { $gt: known.rev } },
        { projection: { rev: 1, seq: 1, senderId: 1, messageType: 1, isDeleted: 1 } }
      )
      .sort({ rev: 1 }).hint(indexNames.byRev).limit(changesMax + 1).batchSize(changesMax + 2).toArray()
    if (rows.length > changesMax) return undefined
    // A row that changed during the read may come twice: the last form counts.
    const messages = new Map<number, LogRow>()
    for (const row of rows) {
      if (row.seq !== undefined && row.seq > known.basis.after && counts(row)) messages.set(row.seq, row)
    }
    let { count, seq } = known
    for (const [place, { isDeleted }] of messages) {
      if (place > known.seq) count += isDeleted === true ? 0 : 1
      // A tombstone never changes again, so its message was counted until now.
      else if (isDeleted === true) {
        // If not all were counted, nobody knows whether this one was.
        if (known.count > unreadMax) return undefined
        count--
      }
    }
    for (const row of rows) if (row.seq !== undefined && row.seq > seq) seq = row.seq
    const last = rows.at(-1)?.rev ?? known.rev
    const rev = last > head.headRev ? last : head.headRev
    return { ...known, rev, seq, count: Math.min(count, unreadMax + 1) }
  }
}
