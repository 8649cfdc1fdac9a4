import { LRUCache } from 'lru-cache'
import type { Filter } from 'mongodb'
import type { Identity } from '../auth/identity.ts'
import { indexNames } from '../log/collections.ts'
import type { ConversationLog } from '../log/index.ts'
import { type Head, type LogRow, type Member, seqOf } from '../log/types.ts'
import { objectId } from './conversation-id.ts'
import type { View } from './view.ts'

/** Unread messages that are counted in one conversation. */
export const unreadMax = 1_000

/** Unread messages, counted by index behind one head: a client that catches up page by page has them counted once. */
export class UnreadCounts {
  private readonly cache: LRUCache<string, { key: string, count: number }>
  private readonly log: ConversationLog

  /** @param max counts that are kept */
  constructor (log: ConversationLog, max = 100_000) {
    this.log = log
    this.cache = new LRUCache({ max })
  }

  /** Messages of others that are shown and not read, up to one more than `unreadMax`. */
  async of ({ id, userId }: Identity, head: Head, member: Member, { fromSeq, hidden, generation }: View): Promise<number> {
    const after = seqOf(Math.max(member.readSeq, fromSeq))
    if (head.headSeq <= after) return 0
    const key = `${head.headRev} ${after} ${generation} ${hidden.size}`
    const known = this.cache.get(`${userId} ${head._id}`)
    if (known?.key === key) return known.count
    const filter: Filter<LogRow> = {
      conversationId: head._id, seq: { $gt: after }, senderId: { $nin: [id, ...[...hidden].map(objectId)] }, isDeleted: { $exists: false }
    }
    const count = await this.log.collections.log.countDocuments(filter, { limit: unreadMax + 1, hint: indexNames.bySeq })
    this.cache.set(`${userId} ${head._id}`, { key, count })
    return count
  }
}
