import { setTimeout as delay } from 'node:timers/promises'
import type { ClientSession, MongoClient, Timestamp } from 'mongodb'
import { newNodeId } from '../../lib/node-id.ts'
import { TidelogError } from '../../errors.ts'
import type { LogCollections } from '../model/collections.ts'
import { type PlanInput, type UnitOutcome, type Plan, type CommitUnit, planBatch, duplicateOutcome } from './plan.ts'
import { HeadCache } from '../read/head-cache.ts'
import { readPlanInput } from './read-plan-input.ts'
import { type QueuedUnit, bytesOf, guarded, takeBatch } from './batch-queue.ts'
import { CommitCounts } from './commit-counts.ts'
import { conversationsTouched } from './mutation.ts'
import { absentIfNotCommitted, findDuplicates, wasCommitted } from './unknown-outcome.ts'
import { type TransactionResult, commitPlan } from './transaction.ts'
import { reserveHeads, isReservedByOther, attemptsBeforeReserving, reservationPoll } from './reservation.ts'
import type { Head, LogRow, Member } from '../model/types.ts'
import { isUnreachable } from '../unreachable.ts'

/** A row that was committed. */
interface CommittedRow {
  row: LogRow
  /** False: an earlier row was changed. */
  isNew: boolean
}

/** What one transaction changed. Rows ascend by rev in each conversation. */
export interface CommittedBatch {
  rows: CommittedRow[]
  /** Read positions that moved and are shown to the other members. */
  reads: Member[]
  /** The new head of every conversation that the commit changed. */
  heads: Head[]
  /** Members that were added or changed. */
  members: Member[]
  /** Another process committed it. */
  isRemote?: true
  /** By the database's clock, the commit or later; undefined if it is not told. */
  time?: Timestamp | undefined
}

export interface CommitOptions {
  /**
   * No other process writes to the database: one transaction may hold several conversations, and cached heads are
   * current.
   */
  isSoleWriter: boolean
  /** Names this process; default a new name. */
  nodeId?: string
  /** Transactions at a time; default 1 for the sole writer, else 16. */
  concurrencyMax?: number
  /** Units of one transaction. */
  batchCountMax?: number
  batchBytesMax?: number
  /** Units that may wait; further ones are refused as OVERLOADED. */
  queueMax?: number
  attemptsMax?: number
  /** Heads in memory; default 200,000 for the sole writer, whose reads they answer too, else 50,000. */
  headsMax?: number
  /** Milliseconds since 1970. */
  now?: () => number
  onCommitted?: (committed: CommittedBatch) => void
  /** Called with the conversations of a commit whose outcome is unknown. */
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
 * Group commit: units that arrive during a transaction form the next batch; without one, a unit starts at once. The
 * promise of a unit settles after its transaction is on disk on a majority of the database's members, never before.
 */
export class Committer {
  private readonly client: MongoClient
  private readonly collections: LogCollections
  private readonly options: Required<Omit<CommitOptions, 'nodeId'>>
  private readonly steps: CommitSteps
  readonly heads: HeadCache
  /** Stands for this process in a reservation. */
  readonly nodeId: string
  readonly counts = new CommitCounts()
  /** Transactions of this process that changed a head. */
  commitCount = 0
  private readonly waiting: Item[] = []
  /** Conversations that a running transaction holds, each with the promise of its end. */
  private readonly inFlight = new Map<string, Promise<void>>()
  private running = 0
  private closing = false
  private readonly whenIdle: Array<() => void> = []

  constructor (
    client: MongoClient, collections: LogCollections, options: CommitOptions, steps: Partial<CommitSteps> = {}
  ) {
    this.client = client
    this.nodeId = options.nodeId ?? newNodeId()
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
    this.heads = new HeadCache(collections.heads, options.isSoleWriter, this.options.headsMax)
  }

  /**
   * Commits a unit and returns its outcome.
   * @throws TidelogError OVERLOADED if too many units wait, UNAVAILABLE if the database does not answer or the server
   * closes.
   */
  commit (unit: CommitUnit): Promise<UnitOutcome> {
    const [, ...later] = unit.mutations
    if (later.some(mutation => mutation.type === 'append' && mutation.row.clientMessageId !== undefined)) {
      return Promise.reject(new TypeError('Only the first mutation of a unit may have a clientMessageId'))
    }
    if (this.closing) return Promise.reject(new TidelogError('UNAVAILABLE', 'The server is shutting down'))
    if (this.waiting.length >= this.options.queueMax) {
      return Promise.reject(new TidelogError('OVERLOADED', undefined, { retryAfterMs: 1_000 }))
    }
    return new Promise((resolve, reject) => {
      const conversations = this.conversationsOf(unit)
      this.waiting.push({ unit, conversations, bytes: bytesOf(unit), resolve, reject })
      // A unit that must wait cannot start a batch, so a long queue is not searched for each arrival.
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
      const { batchCountMax: countMax, batchBytesMax: bytesMax, isSoleWriter } = this.options
      const batch = takeBatch(this.waiting, this.inFlight, { countMax, bytesMax, isSoleWriter })
      if (batch.length === 0) return
      this.running++
      const ended = this.run(batch)
      for (const item of batch) for (const id of item.conversations) this.inFlight.set(id, ended)
    }
  }

  private async run (batch: Item[]): Promise<void> {
    const startedAt = performance.now()
    try {
      const session = this.client.startSession()
      try {
        const admitted = await guarded(batch)
        if (admitted.length > 0) await this.commitBatch(admitted, session)
      } finally {
        // Not awaited: ending may abort a transaction, and a database that hangs does not answer that either.
        void session.endSession().catch(() => {})
      }
    } catch (cause) {
      this.reject(batch, cause)
      // Each waiting batch would take as long again to fail.
      if (isUnreachable(reasonOf(cause))) this.reject(this.waiting.splice(0), cause)
    }
    this.counts.batchUnits.observe(batch.length)
    this.counts.seconds.observe((performance.now() - startedAt) / 1_000)
    for (const item of batch) for (const id of item.conversations) this.inFlight.delete(id)
    this.running--
    this.start()
    const isIdle = this.running === 0 && this.waiting.length === 0
    if (this.closing && isIdle) for (const resolve of this.whenIdle.splice(0)) resolve()
  }

  /** Tries until every unit of the batch has an outcome, at most `attemptsMax` times. */
  private async commitBatch (batch: Item[], session: ClientSession): Promise<void> {
    let open = batch
    let last: TransactionResult | undefined
    // The latest try with an unknown outcome. What ended an earlier one found the heads unchanged: it did not commit.
    let unresolved: { items: Item[], plan: Plan, lookedAgain: boolean } | undefined
    for (let attempt = 0; ; attempt++) {
      if (last !== undefined) {
        this.dropCachedHeads(open)
        const before = open.length
        if (last.result === 'duplicateKey') open = await this.resolveDuplicates(open, unresolved !== undefined)
        if (open.length === 0) return
        if (open.length === before) await this.steps.sleep(Math.random() * Math.min(250, 2 ** attempt))
        const lostToOthers = last.result === 'conflict' || last.result === 'transient'
        if (lostToOthers && attempt >= attemptsBeforeReserving && !this.options.isSoleWriter) await this.reserve(open)
      }
      const input = await this.readPlanInput(open)
      // Asked after the reads: if the unknown try commits later still, the reads are too old and the heads' filter
      // fails the next transaction.
      if (unresolved !== undefined && await wasCommitted(unresolved.plan, input, this.collections)) {
        return this.resolveUnits(unresolved.items, unresolved.plan)
      }
      if (attempt === this.options.attemptsMax) throw unavailable(last)
      const plan = this.steps.plan(open.map(item => item.unit), input, this.options.now())
      if (unresolved !== undefined) plan.relied.push(...absentIfNotCommitted(unresolved.plan, plan))
      if (plan.heads.length > 0) last = await this.steps.write(plan, this.collections, session)
      // The unknown try may have committed between two of the reads. Only a second reading shows that nothing changed.
      else if (unresolved !== undefined && !unresolved.lookedAgain) {
        unresolved.lookedAgain = true
        last = { result: 'conflict' }
      } else last = { result: 'committed' }
      if (last.result === 'committed') return this.resolveUnits(open, plan)
      this.counts.retries[last.result]++
      this.options.onRetry(last, attempt)
      if (last.result === 'unreachable') throw unavailable(last.error)
      if (last.result === 'unknown') {
        unresolved = { items: open, plan, lookedAgain: false }
        for (const { to } of plan.heads) this.heads.markUncertain(to._id)
        this.options.onUnknownOutcome(plan.heads.map(({ to }) => to._id))
        if (isUnreachable(last.error)) throw unavailable(last.error)
      } else if (last.result === 'rejected' && unresolved === undefined) {
        return await this.split(open, last.error, session)
      }
    }
  }

  /** Tries the halves of a rejected batch: one bad unit must not fail the others. */
  private async split (items: Item[], cause: unknown, session: ClientSession): Promise<void> {
    if (items.length === 1) throw new TidelogError('INTERNAL', undefined, { cause })
    this.dropCachedHeads(items)
    const half = items.length >> 1
    for (const part of [items.slice(0, half), items.slice(half)]) {
      await this.commitBatch(part, session).catch((error: unknown) => { this.reject(part, error) })
    }
  }

  private resolveUnits (open: Item[], plan: Plan): void {
    for (const { to } of plan.heads) this.heads.set(to)
    if (plan.heads.length > 0) this.commitCount++
    plan.outcomes.forEach((outcome, index) => {
      const item = open[index]!
      if (typeof outcome !== 'number') return this.resolve(item, outcome)
      const first = plan.outcomes[outcome] as Extract<UnitOutcome, { outcome: 'committed' }>
      this.resolve(item, duplicateOutcome(item.unit, first.rows[0]!))
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

  /** Updates cached heads by another node's commit, so that the next commit here does not fail on an old head. */
  applyRemoteHeads (heads: readonly Head[]): void {
    for (const head of heads) {
      const cached = this.heads.get(head._id)
      if (cached !== undefined && (cached.headRev < head.headRev || cached.clock < head.clock)) this.heads.set(head)
    }
  }

  private dropCachedHeads (items: Item[]): void {
    const mutations = items.flatMap(({ unit }) => unit.mutations)
    for (const id of mutations.flatMap(mutation => conversationsTouched(mutation, true))) this.heads.delete(id)
  }

  /** After a duplicate key: settles the units whose message is stored already, and returns the others. */
  private async resolveDuplicates (items: Item[], afterUnknownOutcome: boolean): Promise<Item[]> {
    const duplicates = await findDuplicates(items.map(item => item.unit), this.collections, afterUnknownOutcome)
    return items.filter((item, index) => {
      const duplicate = duplicates[index]
      if (duplicate !== undefined) this.resolve(item, duplicate)
      return duplicate === undefined
    })
  }

  /** A failure is ignored: a reservation serves fairness only. */
  private async reserve (items: Item[]): Promise<void> {
    const ids = [...new Set(items.flatMap(item => item.conversations))]
    await reserveHeads(this.collections, ids, this.nodeId).catch(() => {})
  }

  private async readPlanInput (items: Item[]): Promise<PlanInput> {
    const mutations = items.flatMap(item => item.unit.mutations)
    const read = async () => await readPlanInput(mutations, this.heads, this.collections)
    let input = await read()
    for (let polls = 0; polls < reservationPoll.max && isReservedByOther(input, this.nodeId); polls++) {
      await this.steps.sleep(reservationPoll.everyMs)
      input = await read()
    }
    return input
  }

  /** Conversations that a unit may change. A conversation with a cached head exists and is not opened again. */
  private conversationsOf ({ mutations }: CommitUnit): string[] {
    const ids = mutations.flatMap(mutation => {
      const opens = 'open' in mutation && this.heads.get(mutation.conversationId) === undefined
      return conversationsTouched(mutation, opens)
    })
    return ids.length === 1 ? ids : [...new Set(ids)]
  }

  private resolve (item: Item, outcome: UnitOutcome): void {
    this.counts.units[outcome.outcome]++
    item.resolve(outcome)
  }

  private reject (items: Item[], cause: unknown): void {
    const error = cause instanceof TidelogError ? cause : unavailable(cause)
    this.counts.units.failed += items.length
    for (const item of items) item.reject(error)
  }

  /** Units that wait for a transaction, and transactions that run. */
  get load (): { waiting: number, running: number } {
    return { waiting: this.waiting.length, running: this.running }
  }

  /** Resolves when every unit that was accepted until now has an outcome. */
  async quiet (): Promise<void> {
    const before = new Set(this.waiting)
    do await Promise.all(new Set(this.inFlight.values()))
    while (this.waiting.some(item => before.has(item)))
    await Promise.all(new Set(this.inFlight.values()))
  }

  /** Waits for this conversation's running commit, if there is one. */
  async pendingCommit (id: string): Promise<void> {
    await this.inFlight.get(id)
  }
}

function unavailable (cause: unknown): TidelogError {
  return new TidelogError('UNAVAILABLE', undefined, { cause, retryAfterMs: 1_000 })
}

/** The driver's error that caused one of ours. */
function reasonOf (error: unknown): unknown {
  return error instanceof TidelogError ? error.cause : error
}
