import type { Filter } from 'mongodb'
import { indexNames } from '../../log/model/collections.ts'
import type { Head, LogRow } from '../../log/model/types.ts'
import type { Identity } from '../../users/identity.ts'
import { objectId } from '../rules/conversation-id.ts'
import { everybody } from '../rules/mentions.ts'
import type { CountBasis, View } from '../rules/view.ts'
import { type Counted, MessageCounter } from './message-counter.ts'

/** Highest exact count of unread mentions in one conversation. */
export const mentionsMax = 100

/**
 * Counts unread messages that mention a user, from an index of the few with mentions: at most `mentionsMax` + 1, which
 * means more.
 */
export class MentionCounts extends MessageCounter {
  protected lastSeq ({ mentionSeq }: Head): number {
    return mentionSeq ?? 0
  }

  protected ignored ({ blocked }: View): ReadonlySet<string> {
    return blocked
  }

  protected async countAnew (
    { id, userId }: Identity, head: Head, { blocked, hiddenSeqs }: View, basis: CountBasis
  ): Promise<Counted> {
    const filter: Filter<LogRow> = {
      conversationId: head._id,
      mentioned: { $in: [userId, everybody] },
      seq: { $gt: basis.after, ...(hiddenSeqs.length === 0 ? {} : { $nin: [...hiddenSeqs] }) },
      senderId: { $nin: [id, ...[...blocked].map(objectId)] }
    }
    const count = await this.log.collections.rows
      .countDocuments(filter, { limit: mentionsMax + 1, hint: indexNames.byMention })
    return { basis, rev: head.headRev, count }
  }
}
