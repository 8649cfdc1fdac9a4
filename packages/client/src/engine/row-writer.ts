import { applyLive, furthest } from '../pure/apply.ts'
import type { LiveEvent, Reads } from '../pure/changes.ts'
import { Patch } from '../pure/patch.ts'
import { editsDone, sendOf } from '../pure/push.ts'
import { isWhole } from '../pure/ranges.ts'
import { type Batch, type ConversationRecord, type Row, counts } from '../pure/state.ts'
import { isBlocked } from '../pure/view.ts'
import { Stale } from '../storage/storage.ts'
import type { Engine } from './engine.ts'

/** Unread messages are counted up to here. */
const unreadMax = 1_000
/** Of so many rows the newest that stays is looked for; at most 500 are hidden. */
const previewMax = 501

/**
 * Stores what the server says, with what it means for the outbox and the counts, in one step. Only the tab that leads
 * does.
 */
export class RowWriter {
  readonly engine: Engine

  constructor (engine: Engine) {
    this.engine = engine
  }

  patch (): Patch {
    return new Patch(this.engine, this.engine.userId)
  }

  /** One step. @param change says whether there is something to store @returns what it says */
  async write (change: (patch: Patch) => boolean): Promise<boolean> {
    return await this.engine.write(async () => {
      const patch = this.patch()
      const isChanged = change(patch)
      if (isChanged) await this.commit(patch)
      return isChanged
    })
  }

  /** Stores a patch and the outbox's part of it. */
  async commit (patch: Patch, outbox: Pick<Batch, 'put' | 'settle'> = {}): Promise<void> {
    const { operations, term, userId } = this.engine
    if (term === undefined) throw new Stale('another tab leads')
    const answered = patch.rows.flatMap(row =>
      [sendOf(operations, row, userId) ?? [], editsDone(operations, row, userId)].flat())
    const settle = [...new Map([...outbox.settle ?? [], ...answered].map(one => [one.position, one])).values()]
    const put = (outbox.put ?? []).filter(({ position }) => !settle.some(other => other.position === position))
    await this.count(patch)
    await this.engine.commit({ ...patch.toBatch(), put, settle, term }, patch.news)
  }

  /** Applies live changes that come next. */
  async applyLive (events: readonly LiveEvent[]): Promise<Patch> {
    const patch = this.patch()
    for (const event of events) applyLive(patch, event)
    const recounted = [...patch.recount]
    await this.commit(patch)
    // What is not all here, the server counts.
    for (const id of recounted) if (!this.isCounted(id)) patch.due.add(id)
    return patch
  }

  async applyReads (id: string, reads: readonly Reads[]): Promise<void> {
    await this.write(patch => {
      const record = patch.get(id)
      const moved = furthest(record?.reads ?? {}, reads, patch.userId)
      if (record === undefined || moved === record.reads) return false
      patch.put({ ...record, reads: moved })
      return true
    })
  }

  /** Unread messages by their rows, where they are all here. */
  private async count (patch: Patch): Promise<void> {
    for (const id of patch.recount) {
      const record = patch.get(id)
      if (record === undefined) continue
      const read = Math.max(patch.selfNow.readSeqs[id] ?? 0, record.localReadSeq)
      const counted = await this.countRows(patch, record, read)
      // What came in the same step may be older than what is here.
      const last = patch.lastGone.has(id) ? undefined : record.last
      patch.put({ ...record, ...counted, last: last ?? await this.newest(patch, id) })
    }
    patch.recount.clear()
    patch.lastGone.clear()
  }

  /** What the list shows, when what it showed is gone. */
  private async newest (patch: Patch, id: string): Promise<Row | undefined> {
    return (await this.rowsAfter(patch, id, 0, Infinity)).at(-1)
  }

  private isCounted (id: string): boolean {
    const { ranges = [], top = 0, purgedSeq = 0 } = this.engine.conversations.get(id) ?? {}
    return isWhole(ranges, Math.max(this.engine.readSeq(id), purgedSeq) + 1, top)
  }

  private async countRows (patch: Patch, record: ConversationRecord, read: number) {
    const { id, top, ranges, purgedSeq, unreadCount, mentionCount } = record
    const { userId } = patch
    const from = Math.max(read, purgedSeq) + 1
    if (from > top) return { unreadCount: 0, mentionCount: 0 }
    if (!isWhole(ranges, from, top)) return { unreadCount: Math.min(unreadCount, top - from + 1), mentionCount }
    const rows = await this.rowsAfter(patch, id, from, top)
    const unread = rows.filter(row => row.senderId !== userId && counts(row) && !isBlocked(patch.selfNow, row))
    const named = unread.filter(({ mentions }) => mentions?.all === true || mentions?.userIds.includes(userId) === true)
    // Reading, a delete and a purge only make it less; the server may count from a later place, as for who came later.
    return {
      unreadCount: Math.min(unreadMax, unreadCount, unread.length),
      mentionCount: Math.min(mentionCount, named.length)
    }
  }

  /** Rows as they will be after a patch, ascending. */
  private async rowsAfter (patch: Patch, id: string, from: number, to: number): Promise<Row[]> {
    const limit = to === Infinity ? previewMax : undefined
    const stored = patch.dropRows.has(id) ? [] : await this.engine.rows(id, from, to, limit)
    const rows = new Map<number, Row>(stored.filter(({ seq }) => !patch.isGone(id, seq)).map(row => [row.seq, row]))
    for (const row of patch.rows) {
      const isIn = row.conversationId === id && row.seq >= from && row.seq <= to
      if (isIn && row.rev > (rows.get(row.seq)?.rev ?? 0)) rows.set(row.seq, row)
    }
    return [...rows.values()].sort((a, b) => a.seq - b.seq)
  }
}
