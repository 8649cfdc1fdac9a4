import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ClientSession, MongoClient } from 'mongodb'
import { TidelogError } from '../../errors.ts'
import type { LogCollections } from '../model/collections.ts'
import { HeadReader } from '../read/head-reader.ts'
import { type PlanInput, type UnitOutcome, type Plan, type CommitUnit, planBatch, duplicateOutcome } from './plan.ts'
import { HeadCache } from '../read/head-cache.ts'
import { readPlanInput } from './read-plan-input.ts'
import { type QueuedUnit, takeBatch } from './batch-queue.ts'
import { conversationsTouched } from './mutation.ts'
import { findDuplicates, wasCommitted } from './unknown-outcome.ts'
import { type TransactionResult, commitPlan } from './transaction.ts'
import { reserveHeads, isReservedByOther, attemptsBeforeReserving, reservationPoll } from './reservation.ts'
import type { Head, LogRow, Member } from '../model/types.ts'
import { isUnreachable } from '../unreachable.ts'

/** A change that is stored for good. */
export interface CommittedRow {
  row: LogRow
  /** The row is new; otherwise an earlier one was changed. */
  isNew: boolean
}

/** What one commit changed, rows in ascending rev for each conversation. */
export interface CommittedBatch {
  rows: CommittedRow[]
  /** Read positions that moved and are shown to the other members. */
  reads: Member[]
  /** Every conversation that it moved, as it is now. */
  heads: Head[]
  /** Members that it made or changed. */
  members: Member[]
  /** Another process committed it. */
  isRemote?: true
}

export interface CommitOptions {
  /** Let one transaction hold several conversations: only where no other process writes to the database. */
  isSoleWriter: boolean
  /** Transactions under way at once; default 1 when shared, else 16. */
  concurrencyMax?: number
  /** Units in one transaction. */
  batchCountMax?: number
  batchBytesMax?: number
  /** Units that wait before further ones are refused as OVERLOADED. */
  queueMax?: number
  attemptsMax?: number
  /** Heads that are kept in memory; default 200,000 when shared, where they answer reads too, else 50,000. */
  headsMax?: number
  /** Milliseconds since 1970. */
  now?: () => number
  onCommitted?: (committed: CommittedBatch) => void
  /** Called with what a commit may have moved whose end is not known. */
  onUnknownOutcome?: (conversationIds: string[]) => void
  /** Called for each retry, with its reason. */
  onRetry?: (result: TransactionResult, attempt: number) => void
}

/** The steps of a commit that a test replaces. */
export interface CommitSteps {
  plan: typeof planBatch
  write: typeof commitPlan
  sleep: (ms: number) => Promise<unknown>
}

interface Item extends QueuedUnit {
  resolve: (outcome: UnitOutcome) => void
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
  private readonly steps: CommitSteps
  private readonly heads: HeadCache
  readonly currentHeads: HeadReader
  /** Names this node to others. */
  private readonly node = randomBytes(8).toString('base64url')
  /** Commits of this process that moved a head. */
  commitCount = 0
  private readonly waiting: Item[] = []
  /** Conversations that a running transaction holds, with its end. */
  private readonly inFlight = new Map<string, Promise<void>>()
  private running = 0
  private closing = false
  private readonly whenIdle: Array<() => void> = []

  constructor (client: MongoClient, collections: LogCollections, options: CommitOptions, steps: Partial<CommitSteps> = {}) {
    this.client = client
    this.collections = collections
    this.steps = { plan: planBatch, write: commitPlan, sleep: delay, ...steps }
    this.options = {
      concurrencyMax: options.isSoleWriter ? 1 : 16,
      batchCountMax: 512,
      batchBytesMax: 4 << 20,
      queueMax: 20_000,
      attemptsMax: 16,
      headsMax: options.isSoleWriter ? 200_000 : 50_000,
      now: Date.now,
      onCommitted: () => {},
      onUnknownOutcome: () => {},
      onRetry: () => {},
      ...options
    }
    this.heads = new HeadCache(this.options.headsMax)
    this.currentHeads = new HeadReader(this.heads, collections, options.isSoleWriter)
  }

  /**
   * Commits a unit and says how that ended.
   * @throws TidelogError OVERLOADED when too many wait, UNAVAILABLE when the database does not answer or the server closes.
   */
  commit (unit: CommitUnit): Promise<UnitOutcome> {
    if (unit.mutations.some((change, index) => index > 0 && change.type === 'append' && change.row.clientMessageId !== undefined)) {
      return Promise.reject(new TypeError('Only the first change of a unit may carry a client id'))
    }
    if (this.closing) return Promise.reject(new TidelogError('UNAVAILABLE', 'The server is shutting down'))
    if (this.waiting.length >= this.options.queueMax) return Promise.reject(new TidelogError('OVERLOADED', undefined, { retryAfterMs: 1_000 }))
    return new Promise((resolve, reject) => {
      const conversations = this.conversationsOf(unit)
      this.waiting.push({ unit, conversations, bytes: bytesOf(unit), resolve, reject })
      // One that must wait lets no other go either: a long queue is not searched for each arrival.
      if (!conversations.some(id => this.inFlight.has(id))) this.start()
    })
  }

  /** Refuses new units and waits for the accepted ones. */
  async close (): Promise<void> {
    this.closing = true
    if (this.running === 0 && this.waiting.length === 0) return
    await new Promise<void>(resolve => { this.whenIdle.push(resolve) })
  }

  private start (): void {
    while (this.running < this.options.concurrencyMax && this.waiting.length > 0) {
      const batch = takeBatch(this.waiting, this.inFlight, {
        countMax: this.options.batchCountMax, bytesMax: this.options.batchBytesMax, isSoleWriter: this.options.isSoleWriter
      })
      if (batch.length === 0) return
      this.running++
      const ended = this.run(batch)
      for (const item of batch) for (const id of item.conversations) this.inFlight.set(id, ended)
    }
  }

  private async run (batch: Item[]): Promise<void> {
    try {
      const session = this.client.startSession()
      try {
        const admitted = await guarded(batch)
        if (admitted.length > 0) await this.commitBatch(admitted, session)
      } finally {
        // Not awaited: it may abort a transaction, and a database that hangs does not answer that either.
        void session.endSession().catch(() => {})
      }
    } catch (cause) {
      reject(batch, cause)
      // Those that wait would wait as long again, each after the other.
      if (isUnreachable(reasonOf(cause))) reject(this.waiting.splice(0), cause)
    }
    for (const item of batch) for (const id of item.conversations) this.inFlight.delete(id)
    this.running--
    this.start()
    if (this.closing && this.running === 0 && this.waiting.length === 0) for (const resolve of this.whenIdle.splice(0)) resolve()
  }

  /** Tries until every unit of the batch has an outcome; the tries are bounded. */
  private async commitBatch (batch: Item[], session: ClientSession): Promise<void> {
    let open = batch
    let last: TransactionResult | undefined
    // The latest try whose commit is unknown. One before it is settled: the session began another transaction since,
    // which ends an open one, and that other found the heads as they were.
    let unresolved: { items: Item[], plan: Plan, lookedAgain: boolean } | undefined
    for (let attempt = 0; ; attempt++) {
      if (last !== undefined) {
        this.dropCachedHeads(open)
        const before = open.length
        if (last.result === 'duplicateKey') open = await this.settleRepeats(open, unresolved !== undefined)
        if (open.length === 0) return
        if (open.length === before) await this.steps.sleep(Math.random() * Math.min(250, 2 ** attempt))
        if (attempt >= attemptsBeforeReserving && (last.result === 'conflict' || last.result === 'transient') && !this.options.isSoleWriter) await this.askForTurn(open)
      }
      const known = await this.readPlanInput(open)
      // Asked after the reads: if it is applied later than this, they are too old and the heads' filter says so.
      if (unresolved !== undefined && await wasCommitted(unresolved.plan, known, this.collections)) return this.resolveUnits(unresolved.items, unresolved.plan)
      if (attempt === this.options.attemptsMax) throw unavailable(last)
      const plan = this.steps.plan(open.map(item => item.unit), known, this.options.now())
      if (plan.heads.length > 0) last = await this.steps.write(plan, this.collections, session)
      // A doubtful commit that lands between two of the reads is half seen: only the next reads tell what is unchanged.
      else if (unresolved !== undefined && !unresolved.lookedAgain) {
        unresolved.lookedAgain = true
        last = { result: 'conflict' }
      } else last = { result: 'committed' }
      if (last.result === 'committed') return this.resolveUnits(open, plan)
      this.options.onRetry(last, attempt)
      if (last.result === 'unreachable') throw unavailable(last.error)
      if (last.result === 'unknown') {
        unresolved = { items: open, plan, lookedAgain: false }
        for (const { to } of plan.heads) this.heads.markUncertain(to._id)
        this.options.onUnknownOutcome(plan.heads.map(({ to }) => to._id))
        if (isUnreachable(last.error)) throw unavailable(last.error)
      } else if (last.result === 'rejected' && unresolved === undefined) return await this.split(open, last.error, session)
    }
  }

  /** After a failure that trying again does not cure: one bad unit must not take the others of its batch with it. */
  private async split (items: Item[], cause: unknown, session: ClientSession): Promise<void> {
    if (items.length === 1) throw new TidelogError('INTERNAL', undefined, { cause })
    this.dropCachedHeads(items)
    const half = items.length >> 1
    for (const part of [items.slice(0, half), items.slice(half)]) {
      await this.commitBatch(part, session).catch((error: unknown) => { reject(part, error) })
    }
  }

  private resolveUnits (open: Item[], plan: Plan): void {
    for (const { to } of plan.heads) this.heads.set(to)
    if (plan.heads.length > 0) this.commitCount++
    plan.outcomes.forEach((outcome, index) => {
      const item = open[index]!
      if (typeof outcome !== 'number') return item.resolve(outcome)
      const first = plan.outcomes[outcome] as Extract<UnitOutcome, { outcome: 'committed' }>
      item.resolve(duplicateOutcome(item.unit, first.rows[0]!))
    })
    if (plan.rows.length > 0 || plan.shownReads.length > 0) {
      this.options.onCommitted({
        rows: plan.rows.map(({ from, to }) => ({ row: to, isNew: from === null })),
        reads: plan.shownReads,
        heads: plan.heads.map(({ to }) => to),
        members: plan.members.flatMap(({ to }) => to === null ? [] : [to])
      })
    }
  }

  /** Takes note of what another process has committed: the next commit here need not fail to learn of it. */
  applyRemoteHeads (heads: readonly Head[]): void {
    for (const head of heads) {
      const known = this.heads.get(head._id)
      if (known !== undefined && (known.headRev < head.headRev || known.clock < head.clock)) this.heads.set(head)
    }
  }

  private dropCachedHeads (items: Item[]): void {
    for (const { unit } of items) for (const change of unit.mutations) for (const id of conversationsTouched(change, true)) this.heads.delete(id)
  }

  /** After a try that failed on a client id: settles the units that are stored already, and returns the rest. */
  private async settleRepeats (items: Item[], afterDoubt: boolean): Promise<Item[]> {
    const repeats = await findDuplicates(items.map(item => item.unit), this.collections, afterDoubt)
    return items.filter((item, index) => {
      const repeated = repeats[index]
      if (repeated !== undefined) item.resolve(repeated)
      return repeated === undefined
    })
  }

  /** Only for fairness: that it fails is no failure of the batch. */
  private async askForTurn (items: Item[]): Promise<void> {
    await reserveHeads(this.collections, [...new Set(items.flatMap(item => item.conversations))], this.node).catch(() => {})
  }

  private async readPlanInput (items: Item[]): Promise<PlanInput> {
    const changes = items.flatMap(item => item.unit.mutations)
    const look = async () => await readPlanInput(changes, this.heads, this.collections, this.options.isSoleWriter)
    let known = await look()
    for (let polls = 0; polls < reservationPoll.max && isReservedByOther(known, this.node); polls++) {
      await this.steps.sleep(reservationPoll.everyMs)
      known = await look()
    }
    return known
  }

  /** What a unit may move. A conversation that is known to be there is not opened again. */
  private conversationsOf ({ mutations }: CommitUnit): string[] {
    const ids = mutations.flatMap(change => conversationsTouched(change, 'open' in change && this.heads.get(change.conversationId) === undefined))
    return ids.length === 1 ? ids : [...new Set(ids)]
  }

  /** Resolves when every unit that was accepted until now has an outcome. */
  async quiet (): Promise<void> {
    const before = new Set(this.waiting)
    do await Promise.all(new Set(this.inFlight.values()))
    while (this.waiting.some(item => before.has(item)))
    await Promise.all(new Set(this.inFlight.values()))
  }

  /** Waits for the commit of this conversation that is under way, if there is one. */
  async pendingCommit (id: string): Promise<void> {
    await this.inFlight.get(id)
  }
}

/** The units whose guards let them; the others are refused. */
async function guarded (batch: Item[]): Promise<Item[]> {
  if (batch.every(({ unit }) => unit.guard === undefined)) return batch
  const admitted: Item[] = []
  for (const item of batch) {
    try {
      const pending = item.unit.guard?.()
      if (pending !== undefined) await pending
      admitted.push(item)
    } catch (error) {
      item.reject(error)
    }
  }
  return admitted
}

function bytesOf ({ mutations }: CommitUnit): number {
  return mutations.reduce((sum, change) => sum + 256 + (change.type === 'append' ? (change.row.message?.length ?? 0) * 3 : 0), 0)
}

function unavailable (cause: unknown): TidelogError {
  return new TidelogError('UNAVAILABLE', undefined, { cause, retryAfterMs: 1_000 })
}

/** The driver's error behind one of ours. */
function reasonOf (error: unknown): unknown {
  return error instanceof TidelogError ? error.cause : error
}

function reject (items: Item[], cause: unknown): void {
  const error = cause instanceof TidelogError ? cause : unavailable(cause)
  for (const item of items) item.reject(error)
}
