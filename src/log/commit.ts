import { setTimeout as delay } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { MongoClient } from 'mongodb'
import { TidelogError } from '../errors.ts'
import type { LogCollections } from './collections.ts'
import { type Change, type Known, type Outcome, type Plan, type Unit, planBatch, settleRepeat } from './plan.ts'
import { type Waiting, takeBatch } from './queue.ts'
import { type CommitResult, commitPlan } from './transaction.ts'
import { type Head, type LogRow, type Member, memberKey } from './types.ts'

/** A change that is stored for good. */
export interface CommittedRow {
  row: LogRow
  /** The row is new; otherwise an earlier one was changed. */
  isNew: boolean
}

/** What one commit changed, rows in ascending rev for each conversation. */
export interface Committed {
  rows: CommittedRow[]
  /** Read positions that moved. */
  reads: Member[]
}

export interface CommitOptions {
  /** Let one transaction hold several conversations: only where no other process writes to the database. */
  share: boolean
  /** Transactions under way at once; default 1 when shared, else 16. */
  concurrencyMax?: number
  /** Units in one transaction. */
  batchCountMax?: number
  batchBytesMax?: number
  /** Units that wait before further ones are refused as OVERLOADED. */
  waitingMax?: number
  attemptsMax?: number
  /** Milliseconds since 1970. */
  now?: () => number
  onCommitted?: (committed: Committed) => void
  /** Called for each retry, with its reason. */
  onRetry?: (result: CommitResult, attempt: number) => void
}

interface Item extends Waiting {
  resolve: (outcome: Outcome) => void
  reject: (error: unknown) => void
}

/**
 * Group commit: units that arrive while a transaction is under way form the next one. When none is, a unit starts at
 * once. The promise of a unit settles after the transaction is on disk on a majority, never before.
 */
export class Committer {
  private readonly client: MongoClient
  private readonly collections: LogCollections
  private readonly options: Required<CommitOptions>
  private readonly heads = new LRUCache<string, Head>({ max: 50_000 })
  private readonly waiting: Item[] = []
  private readonly busy = new Set<string>()
  private running = 0
  private closing = false
  private idle: (() => void) | undefined

  constructor (client: MongoClient, collections: LogCollections, options: CommitOptions) {
    this.client = client
    this.collections = collections
    this.options = {
      concurrencyMax: options.share ? 1 : 16,
      batchCountMax: 512,
      batchBytesMax: 4 << 20,
      waitingMax: 20_000,
      attemptsMax: 8,
      now: Date.now,
      onCommitted: () => {},
      onRetry: () => {},
      ...options
    }
  }

  /**
   * Commits a unit and says how that ended.
   * @throws TidelogError OVERLOADED when too many wait, UNAVAILABLE when the database does not answer or the server closes.
   */
  commit (unit: Unit): Promise<Outcome> {
    if (this.closing) return Promise.reject(new TidelogError('UNAVAILABLE', 'The server is shutting down'))
    if (this.waiting.length >= this.options.waitingMax) return Promise.reject(new TidelogError('OVERLOADED', undefined, { retryAfterMs: 1_000 }))
    return new Promise((resolve, reject) => {
      this.waiting.push({ unit, conversations: conversationsOf(unit), bytes: bytesOf(unit), resolve, reject })
      this.start()
    })
  }

  /** Refuses new units and waits for the accepted ones. */
  async close (): Promise<void> {
    this.closing = true
    if (this.running === 0 && this.waiting.length === 0) return
    await new Promise<void>(resolve => { this.idle = resolve })
  }

  private start (): void {
    while (this.running < this.options.concurrencyMax && this.waiting.length > 0) {
      const batch = takeBatch(this.waiting, this.busy, {
        countMax: this.options.batchCountMax, bytesMax: this.options.batchBytesMax, share: this.options.share
      })
      if (batch.length === 0) return
      this.running++
      for (const item of batch) for (const id of item.conversations) this.busy.add(id)
      void this.run(batch)
    }
  }

  private async run (batch: Item[]): Promise<void> {
    try {
      await this.settle(batch)
    } catch (cause) {
      const error = cause instanceof TidelogError ? cause : new TidelogError('UNAVAILABLE', undefined, { cause, retryAfterMs: 1_000 })
      for (const item of batch) item.reject(error)
    }
    for (const item of batch) for (const id of item.conversations) this.busy.delete(id)
    this.running--
    this.start()
    if (this.closing && this.running === 0 && this.waiting.length === 0) this.idle?.()
  }

  /** Tries until every unit of the batch has an outcome; the tries are bounded. */
  private async settle (batch: Item[]): Promise<void> {
    const session = this.client.startSession()
    try {
      let open = batch
      let last: CommitResult | undefined
      for (let attempt = 0; open.length > 0; attempt++) {
        if (attempt === this.options.attemptsMax) throw new TidelogError('UNAVAILABLE', undefined, { cause: last, retryAfterMs: 1_000 })
        if (last !== undefined) {
          this.forget(open)
          open = await this.settleStored(open, last)
          if (open.length === 0) break
          if (last.result !== 'repeated') await delay(Math.random() * Math.min(250, 2 ** attempt))
        }
        const plan = planBatch(open.map(item => item.unit), await this.know(open), this.options.now())
        last = plan.heads.length === 0 ? { result: 'committed' } : await commitPlan(plan, this.collections, session)
        if (last.result === 'committed') {
          this.finish(open, plan)
          break
        }
        this.options.onRetry(last, attempt)
      }
    } finally {
      await session.endSession()
    }
  }

  private finish (open: Item[], plan: Plan): void {
    for (const { to } of plan.heads) this.heads.set(to._id, to)
    plan.outcomes.forEach((outcome, index) => {
      const item = open[index]!
      if (typeof outcome !== 'number') return item.resolve(outcome)
      const first = plan.outcomes[outcome] as Extract<Outcome, { outcome: 'committed' }>
      item.resolve(settleRepeat(item.unit, first.rows[0]!))
    })
    const reads = plan.outcomes.flatMap(outcome => typeof outcome !== 'number' && outcome.outcome === 'committed' ? outcome.reads : [])
    if (plan.rows.length > 0 || reads.length > 0) {
      this.options.onCommitted({ rows: plan.rows.map(({ from, to }) => ({ row: to, isNew: from === null })), reads })
    }
  }

  private forget (items: Item[]): void {
    for (const item of items) for (const id of item.conversations) this.heads.delete(id)
  }

  /**
   * After a try that failed on a client id, or whose outcome is unknown: units that are found stored are settled, the
   * rest is returned. A lost commit is never repeated: its rows have the `_id`s that were chosen before the first try.
   */
  private async settleStored (items: Item[], last: CommitResult): Promise<Item[]> {
    const mayBeStored = last.result === 'unknown'
    if (!mayBeStored && last.result !== 'repeated') return items
    const appends = items.flatMap(item => item.unit.changes.flatMap(change => change.type === 'append' ? [change] : []))
    const stored = await this.collections.log.find({
      $or: [
        { _id: { $in: items.flatMap(item => newRowIds(item.unit)) } },
        ...appends.flatMap(({ conversationId, row }) => row.clientMessageId === undefined || row.senderId === undefined
          ? []
          : [{ conversationId, senderId: row.senderId, clientMessageId: row.clientMessageId }])
      ]
    }).toArray()
    const byId = new Map(stored.map(row => [row._id.toHexString(), row]))
    const byClaim = new Map(stored.map(row => [`${row.conversationId} ${String(row.senderId)} ${String(row.clientMessageId)}`, row]))
    const settled: CommittedRow[] = []
    const rest = items.filter(item => {
      const own = newRowIds(item.unit).flatMap(id => byId.get(id.toHexString()) ?? [])
      if (own.length > 0) {
        settled.push(...own.map(row => ({ row, isNew: true })))
        item.resolve({ outcome: 'committed', rows: own, reads: [] })
        return false
      }
      const [change] = item.unit.changes
      const repeated = change?.type === 'append'
        ? byClaim.get(`${change.conversationId} ${String(change.row.senderId)} ${String(change.row.clientMessageId)}`)
        : undefined
      if (repeated === undefined) return true
      item.resolve(settleRepeat(item.unit, repeated))
      return false
    })
    if (settled.length > 0) this.options.onCommitted({ rows: settled.sort((a, b) => a.row.rev - b.row.rev), reads: [] })
    return rest
  }

  /** Heads (from the cache where it has them: the transaction checks them), and the rows and members that the changes need. */
  private async know (items: Item[]): Promise<Known> {
    const changes = items.flatMap(item => item.unit.changes)
    const heads = new Map<string, Head | null>()
    const unread: string[] = []
    for (const { conversationId } of changes) {
      const head = this.heads.get(conversationId)
      if (head !== undefined) heads.set(conversationId, head)
      else if (!heads.has(conversationId)) {
        heads.set(conversationId, null)
        unread.push(conversationId)
      }
    }
    // Heads first: a row or member read after its head is at least as new, and one that is newer fails the head's filter.
    if (unread.length > 0) {
      for await (const head of this.collections.conversations.find({ _id: { $in: unread } })) heads.set(head._id, head)
    }
    const rowIds = changes.flatMap(change => change.type === 'revise' ? [change.rowId] : [])
    const memberKeys = new Set(changes.flatMap(membersOf))
    const rows = rowIds.length === 0 ? [] : await this.collections.log.find({ _id: { $in: rowIds } }).toArray()
    const members = memberKeys.size === 0 ? [] : await this.collections.members.find({ _id: { $in: [...memberKeys] } }).toArray()
    return {
      heads,
      rows: new Map(rows.map(row => [row._id.toHexString(), row])),
      members: new Map(members.map((member: Member) => [member._id, member]))
    }
  }
}

function conversationsOf ({ changes }: Unit): string[] {
  return changes.length === 1 ? [changes[0]!.conversationId] : [...new Set(changes.map(change => change.conversationId))]
}

function bytesOf ({ changes }: Unit): number {
  return changes.reduce((sum, change) => sum + 256 + (change.type === 'append' ? (change.row.message?.length ?? 0) * 3 : 0), 0)
}

function newRowIds ({ changes }: Unit) {
  return changes.flatMap(change => change.type === 'append' ? [change.row._id] : change.type === 'member' ? [change.rowId] : [])
}

function membersOf (change: Change): string[] {
  switch (change.type) {
    case 'append': return change.requiresMember === undefined ? [] : [memberKey(change.conversationId, change.requiresMember)]
    case 'revise': return []
    case 'member':
    case 'read': return [memberKey(change.conversationId, change.userId)]
  }
}
