import { Timestamp } from 'mongodb'
import { type FakeStore, type Seen, Transaction } from './fake-store.ts'
import { network, noSuchTransaction, unknownResult } from './fake-values.ts'

/** A session, whose commits may be late, and their replies lost. */
export class FakeSession {
  transaction: Transaction | undefined
  private readonly mongo: FakeStore
  private readonly node: string
  private readonly seen: Seen
  /** How far its node has seen the database. */
  operationTime: Timestamp
  /** Replies to commits that still get lost. */
  private mute = 0
  private outcome: 'open' | 'applied' | 'aborted' | 'forgotten' | 'late' = 'open'
  private state: 'none' | 'started' | 'running' = 'none'

  constructor (mongo: FakeStore, { name, seen }: { name: string, seen: Seen }) {
    this.mongo = mongo
    this.node = name
    this.seen = seen
    this.operationTime = new Timestamp({ t: 1, i: seen.version })
  }

  /** What its node reads from now on is not older. */
  advanceOperationTime (time: Timestamp): void {
    this.seen.advance(time.i)
  }

  startTransaction (): void {
    if (this.state !== 'none') throw new Error('Transaction already in progress')
    this.state = 'started'
    this.outcome = 'open'
  }

  /** The transaction of the next statement; with the first, the server aborts an earlier one of the session that is still open. */
  statement (): Transaction {
    if (this.state === 'none') throw new Error('No transaction')
    if (this.state === 'started') {
      if (this.transaction !== undefined) this.mongo.active.delete(this.transaction)
      this.transaction = new Transaction(this.mongo, this.node)
      this.state = 'running'
    }
    if (this.transaction === undefined || !this.mongo.active.has(this.transaction)) throw noSuchTransaction()
    return this.transaction
  }

  async abortTransaction (): Promise<void> {
    const { schedule, faults } = this.mongo.options
    const { state, transaction } = this
    this.state = 'none'
    if (state !== 'running' || transaction === undefined) return
    await schedule.turn(this.node)
    if (schedule.chance(faults / 4)) throw network()
    this.mongo.active.delete(transaction)
  }

  async commitTransaction (): Promise<void> {
    const { schedule } = this.mongo.options
    this.state = 'none'
    const transaction = this.transaction
    if (transaction === undefined) return
    transaction.committing = true
    await schedule.turn(this.node)
    if (this.outcome === 'open') this.decide(transaction)
    await schedule.turn(this.node)
    if (await this.isLost(transaction)) {
      this.outcome = 'aborted'
      throw unknownResult()
    }
    if (this.mute > 0) {
      this.mute--
      throw schedule.chance(0.1) ? new TypeError('A defect of the driver') : unknownResult()
    }
    if (this.outcome === 'aborted' || this.outcome === 'forgotten') throw noSuchTransaction()
    if (this.outcome === 'late') throw unknownResult()
    if (transaction.appliedAt !== undefined) this.seen.advance(transaction.appliedAt)
  }

  async endSession (): Promise<void> {
    if (this.transaction !== undefined) this.mongo.active.delete(this.transaction)
  }

  /** Waits until a majority has what the commit wrote, or a failover has undone it. */
  private async isLost ({ appliedAt, term }: Transaction): Promise<boolean> {
    if (appliedAt === undefined) return false
    const { mongo } = this
    while (term === mongo.term && mongo.durable < appliedAt) await mongo.options.schedule.turn(this.node)
    return this.outcome !== 'aborted' && term !== mongo.term
  }

  private async later (turns: number): Promise<void> {
    for (let i = 0; i <= turns; i++) await this.mongo.options.schedule.turn('server')
  }

  /** How the commit ends, and how many of its replies are lost: seven outlast the retries of a commit. */
  private decide (transaction: Transaction): void {
    const { schedule, faults } = this.mongo.options
    this.mute = 0
    if (!this.mongo.active.has(transaction)) {
      this.outcome = 'aborted'
      return
    }
    if (!schedule.chance(faults)) {
      this.outcome = 'applied'
      return this.mongo.apply(transaction)
    }
    this.mute = schedule.chance(0.5) ? 7 : schedule.below(3)
    const luck = schedule.random()
    if (luck < 0.3) {
      this.outcome = 'aborted'
      this.mongo.active.delete(transaction)
    } else if (luck < 0.55) {
      this.outcome = 'late'
      this.mute = 7
      void this.later(schedule.below(40)).then(() => { this.mongo.apply(transaction) })
    } else {
      this.outcome = luck < 0.65 && this.mute > 0 ? 'forgotten' : 'applied'
      this.mongo.apply(transaction)
    }
  }
}
