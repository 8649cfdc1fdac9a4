import { LRUCache } from 'lru-cache'
import type { Filter } from 'mongodb'
import { indexNames } from '../../log/model/collections.ts'
import type { ConversationLog } from '../../log/conversation-log.ts'
import type { Head, LogRow, Rev } from '../../log/model/types.ts'
import { objectId } from '../rules/conversation-id.ts'
import { type CountBasis, type View, countBasisOf, isSameBasis } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'
import { everybody } from '../rules/mentions.ts'

/** Highest count of unread mentions in one conversation. */
const mentionsMax = 100

/**
 * Counts unread messages that mention a user, from an index of the few messages with mentions. No counter is stored,
 * because edits and deletions would make it wrong. A cached count is valid until the conversation, the read position or
 * the view changes.
 */
export class MentionCounts {
  private readonly cache: LRUCache<string, { basis: CountBasis, rev: Rev, count: number }>
  private readonly log: ConversationLog

  /** @param max counts that are cached */
  constructor (log: ConversationLog, max = 100_000) {
    this.log = log
    this.cache = new LRUCache({ max })
  }

  /** As `of`, without waiting; undefined: it is not cached. */
  peek ({ userId }: Pick<Identity, 'userId'>, head: Head, readSeq: number, view: View): number | undefined {
    if (head.mentionSeq === undefined) return 0
    const basis = countBasisOf(view, readSeq, view.blocked)
    if (head.mentionSeq <= basis.after) return 0
    const known = this.cache.get(`${userId} ${head._id}`)
    return known !== undefined && known.rev >= head.headRev && isSameBasis(known.basis, basis) ? known.count : undefined
  }

  /** At most `mentionsMax`, as of the head or later. */
  async of (identity: Identity, head: Head, readSeq: number, view: View): Promise<number> {
    return this.peek(identity, head, readSeq, view) ?? await this.countAnew(identity, head, readSeq, view)
  }

  private async countAnew ({ id, userId }: Identity, head: Head, readSeq: number, view: View): Promise<number> {
    const { blocked, hiddenSeqs } = view
    const basis = countBasisOf(view, readSeq, blocked)
    const filter: Filter<LogRow> = {
      conversationId: head._id,
      mentioned: { $in: [userId, everybody] },
      seq: { $gt: basis.after, ...(hiddenSeqs.length === 0 ? {} : { $nin: [...hiddenSeqs] }) },
      senderId: { $nin: [id, ...[...blocked].map(objectId)] }
    }
    const count = await this.log.collections.rows
      .countDocuments(filter, { limit: mentionsMax, hint: indexNames.byMention })
    this.cache.set(`${userId} ${head._id}`, { basis, rev: head.headRev, count })
    return count
  }
}
