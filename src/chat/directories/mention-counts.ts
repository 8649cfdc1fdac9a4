import { LRUCache } from 'lru-cache'
import type { Filter } from 'mongodb'
import { indexNames } from '../../log/model/collections.ts'
import type { ConversationLog } from '../../log/conversation-log.ts'
import { type Head, type LogRow, type Rev, seqOf } from '../../log/model/types.ts'
import { objectId } from '../rules/conversation-id.ts'
import type { View } from '../rules/view.ts'
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
  private readonly cache: LRUCache<string, { key: string, rev: Rev, count: number }>
  private readonly log: ConversationLog

  /** @param max counts that are cached */
  constructor (log: ConversationLog, max = 100_000) {
    this.log = log
    this.cache = new LRUCache({ max })
  }

  /** At most `mentionsMax`, as of the head or later. */
  async of ({ id, userId }: Identity, head: Head, readSeq: number, { afterSeq, blocked, hiddenSeqs, generation }: View): Promise<number> {
    const after = seqOf(Math.max(readSeq, afterSeq))
    if ((head.mentionSeq ?? 0) <= after) return 0
    const key = `${after} ${generation} ${blocked.size}`
    const place = `${userId} ${head._id}`
    const known = this.cache.get(place)
    if (known?.key === key && known.rev >= head.headRev) return known.count
    const filter: Filter<LogRow> = {
      conversationId: head._id,
      mentioned: { $in: [userId, everybody] },
      seq: { $gt: after, ...(hiddenSeqs.length === 0 ? {} : { $nin: [...hiddenSeqs] }) },
      senderId: { $nin: [id, ...[...blocked].map(objectId)] }
    }
    const count = await this.log.collections.rows.countDocuments(filter, { limit: mentionsMax, hint: indexNames.byMention })
    this.cache.set(place, { key, rev: head.headRev, count })
    return count
  }
}
