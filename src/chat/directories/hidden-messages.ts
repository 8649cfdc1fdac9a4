import { LRUCache } from 'lru-cache'
import { upTo } from '../../lib/up-to.ts'
import { indexNames } from '../../log/model/collections.ts'
import type { ConversationLog } from '../../log/conversation-log.ts'
import { type LogRow, type Member, seqOf } from '../../log/model/types.ts'

/**
 * Who has cleared or hidden a message: they get no event when it changes. Almost nobody ever hides anything. So if this
 * process is the sole writer, it caches how far anybody has hidden messages of a conversation, and later messages cost
 * no read.
 */
export class HiddenMessages {
  /** By conversation: the last seq that anybody has hidden, 0 if there is none. */
  private readonly cache: LRUCache<string, number>
  private readonly log: ConversationLog
  /** Does this process hear of everything that is hidden? */
  private hearsAll: boolean
  /** Counts what was hidden: a read that began before may not know of it. */
  private version = 0

  constructor (log: ConversationLog, max = 100_000) {
    this.log = log
    this.cache = new LRUCache(upTo(max))
    this.hearsAll = log.isSoleWriter
    log.onCommitted(({ members }) => {
      for (const member of members) this.note(member)
    }, () => {
      // The commit may have hidden something, or may do so later.
      this.hearsAll = false
      this.cache.clear()
    })
  }

  /** The users who have cleared or hidden a message, in hex. */
  async usersHiding ({ conversationId, seq }: Pick<LogRow, 'conversationId' | 'seq'>): Promise<string[]> {
    if (seq === undefined) return []
    if (this.hearsAll && seq > (this.cache.get(conversationId) ?? await this.readLast(conversationId))) return []
    const { members } = this.log.collections
    const [hiding, clearing] = await Promise.all([
      members.find({ conversationId, hiddenSeqs: seq }, { projection: { userId: 1 } })
        .hint(indexNames.byHidden).toArray(),
      members.find({ conversationId, clearedSeq: { $gte: seq } }, { projection: { userId: 1 } })
        .hint(indexNames.byCleared).toArray()
    ])
    return [...new Set([...hiding, ...clearing].map(({ userId }) => userId.toHexString()))]
  }

  private note (member: Member): void {
    const last = lastHidden(member)
    if (last === 0) return
    this.version++
    const known = this.cache.get(member.conversationId)
    if (known !== undefined && known < last) this.cache.set(member.conversationId, last)
  }

  private async readLast (conversationId: string): Promise<number> {
    const { version } = this
    const { members } = this.log.collections
    const first = seqOf(1)
    const [hiding, clearing] = await Promise.all([
      members.find({ conversationId, hiddenSeqs: { $gte: first } }, { projection: { hiddenSeqs: 1 } })
        .hint(indexNames.byHidden).toArray(),
      members.find({ conversationId, clearedSeq: { $gte: first } }, { projection: { clearedSeq: 1 } })
        .hint(indexNames.byCleared).toArray()
    ])
    if (version !== this.version) return Infinity
    const last = [...hiding, ...clearing].reduce((last, member) => Math.max(last, lastHidden(member)), 0)
    if (this.hearsAll) this.cache.set(conversationId, last)
    return last
  }
}

function lastHidden ({ clearedSeq = seqOf(0), hiddenSeqs = [] }: Pick<Member, 'clearedSeq' | 'hiddenSeqs'>): number {
  return hiddenSeqs.reduce<number>((last, seq) => Math.max(last, seq), clearedSeq)
}
