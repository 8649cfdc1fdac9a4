/**
 * Logical sessions: the open transaction of each, and the results of its latest retryable write. A driver that lost a
 * reply sends the same txnNumber and statement ids again. It must get the first result and not cause a second write,
 * even after a crash: results and commits are stored together with the writes they describe.
 */
import { mongoError } from '../values/errors.ts'
import type { MongoError } from '../values/errors.ts'
import { loadRecords, putRecord, removeRecords } from './session-records.ts'
import type { SessionRecord } from './session-records.ts'
import { Binary, isDoc } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import { fromBytes } from '../store/keys.ts'
import type { Store } from '../store/store.ts'
import { Transaction } from '../store/transaction.ts'

export const SESSION_TIMEOUT_MINUTES = 30
export const TRANSACTION_LIFETIME_MS = 60_000
/** Milliseconds within which a client whose connections broke returns, to commit over a new one. */
const ABANDONED_MS = 2_000

type TransactionState = 'none' | 'open' | 'committed' | 'aborted'

export class Session {
  readonly #store: Store
  readonly #key: string
  /** The sessions that have a record to store with the current commit. */
  readonly #unsaved: Set<Session>
  txnNumber = -1n
  state: TransactionState = 'none'
  transaction: Transaction | undefined
  transactionStartedMs = 0
  /** The open connections over which the transaction's statements came. */
  connections = new Set<number>()
  /** When the last of these connections closed. */
  abandonedAtMs = Infinity
  lastUseMs = 0
  /** Results of the statements of the retryable write `txnNumber`, by statement id. */
  #results = new Map<number, Doc>()
  /** Records that are not stored yet. */
  #unsavedRecords: SessionRecord[] = []

  constructor (store: Store, key: string, unsaved: Set<Session>) {
    this.#store = store
    this.#key = key
    this.#unsaved = unsaved
    this.restore()
  }

  /** Returns to what the disk says of the current transaction number or a later one: anything else did not happen. */
  restore (): void {
    if (this.state === 'committed') this.state = 'aborted'
    this.#forgetResults()
    for (const { txnNumber, from, to, result } of loadRecords(this.#store, this.#key)) {
      if (txnNumber < this.txnNumber) return
      this.txnNumber = txnNumber
      if (result === null) this.state = 'committed'
      else for (let id = from; id <= to; id++) this.#results.set(id, result)
    }
  }

  /** Adds the new records to the current commit. */
  save (nowMs: number): void {
    for (const record of this.#unsavedRecords) putRecord(this.#store, this.#key, record, nowMs)
    this.#unsavedRecords = []
  }

  enterRetryableWrite (txnNumber: bigint): void {
    if (txnNumber < this.txnNumber) throw tooOld(this, txnNumber)
    if (txnNumber === this.txnNumber) {
      if (this.state === 'none') return
      const message = `Cannot retry a retryable write that has been converted into a transaction: ${txnNumber}`
      throw mongoError('IncompleteTransactionHistory', message)
    }
    this.#begin(txnNumber, 'none')
  }

  /**
   * Runs a statement of the retryable write, or returns its earlier result. `write` is synchronous, so that its result
   * is stored in the same commit.
   */
  once (txnNumber: bigint, statementId: number, write: () => Doc): Doc {
    // While the statement waited, its client may have begun another write.
    if (txnNumber !== this.txnNumber) throw tooOld(this, txnNumber)
    const earlier = this.#results.get(statementId)
    if (earlier !== undefined) return earlier
    const result = write()
    this.#results.set(statementId, result)
    const last = this.#unsavedRecords.at(-1)
    if (last !== undefined && last.to === statementId - 1 && last.result === result) last.to = statementId
    else this.#remember({ txnNumber, from: statementId, to: statementId, result })
    return result
  }

  startTransaction (txnNumber: bigint, nowMs: number): Transaction {
    if (txnNumber < this.txnNumber) throw tooOld(this, txnNumber)
    if (txnNumber === this.txnNumber) {
      throw mongoError(50911, `Cannot start a transaction at given transaction number ${txnNumber} ` +
        `a transaction with the same number is in state ${this.state}`)
    }
    this.#begin(txnNumber, 'open')
    this.transactionStartedMs = nowMs
    this.connections = new Set()
    this.abandonedAtMs = Infinity
    this.transaction = new Transaction(this.#store, state => {
      this.state = state
      this.transaction = undefined
    })
    return this.transaction
  }

  /** The open transaction `txnNumber`. */
  continueTransaction (txnNumber: bigint): Transaction {
    if (txnNumber < this.txnNumber) throw tooOld(this, txnNumber)
    if (txnNumber !== this.txnNumber || this.state === 'none') {
      throw noSuchTransaction(`Given transaction number ${txnNumber} does not match any in-progress transactions. ` +
        `The active transaction number is ${this.txnNumber}`)
    }
    const name = `Transaction with { txnNumber: ${txnNumber} }`
    if (this.state === 'aborted') throw noSuchTransaction(`${name} has been aborted.`)
    if (this.state === 'committed') throw mongoError('TransactionCommitted', `${name} has been committed.`)
    return this.transaction!
  }

  /** Does nothing if the transaction is committed already. */
  commit (txnNumber: bigint): void {
    if (txnNumber === this.txnNumber && this.state === 'committed') return
    const { seq } = this.#store
    this.continueTransaction(txnNumber).commit()
    // A transaction that wrote nothing may run again after a crash.
    if (this.#store.seq > seq) this.#remember({ txnNumber, from: 0, to: 0, result: null })
  }

  #begin (txnNumber: bigint, state: TransactionState): void {
    this.transaction?.abort()
    this.txnNumber = txnNumber
    this.state = state
    this.#forgetResults()
  }

  #forgetResults (): void {
    this.#results = new Map()
    this.#unsavedRecords = []
  }

  #remember (record: SessionRecord): void {
    this.#unsavedRecords.push(record)
    this.#unsaved.add(this)
  }
}

function tooOld (session: Session, txnNumber: bigint): MongoError {
  return mongoError('TransactionTooOld', `Cannot start transaction with { txnNumber: ${txnNumber} } because a newer ` +
    `transaction with txnNumber ${session.txnNumber} has already started on this session.`)
}

function noSuchTransaction (message: string): MongoError {
  return mongoError('NoSuchTransaction', message, ['TransientTransactionError'])
}

export class Sessions {
  readonly #store: Store
  readonly #sessions = new Map<string, Session>()
  readonly #unsaved = new Set<Session>()

  constructor (store: Store) {
    this.#store = store
  }

  /** The session of an `lsid`, created if it does not exist. */
  get (lsid: Value, nowMs: number): Session {
    const key = keyOf(lsid)
    let session = this.#sessions.get(key)
    if (session === undefined) {
      session = new Session(this.#store, key, this.#unsaved)
      this.#sessions.set(key, session)
    }
    session.lastUseMs = nowMs
    return session
  }

  /** Adds the sessions' new records to the current commit. Must be called before the commit is written. */
  save (nowMs: number): void {
    for (const session of this.#unsaved) session.save(nowMs)
    this.#unsaved.clear()
  }

  end (lsid: Value): void {
    const key = keyOf(lsid)
    this.#sessions.get(key)?.transaction?.abort()
    this.#sessions.delete(key)
  }

  endAll (): void {
    for (const session of this.#sessions.values()) session.transaction?.abort()
    this.#sessions.clear()
  }

  /** If all connections of a transaction are closed, its client has probably left: `sweep` soon releases its locks. */
  disconnected (connectionId: number, nowMs: number): void {
    for (const session of this.#sessions.values()) {
      if (session.connections.delete(connectionId) && session.connections.size === 0) session.abandonedAtMs = nowMs
    }
  }

  /** After a failed write: only what is on disk was done. */
  restore (): void {
    this.#unsaved.clear()
    for (const session of this.#sessions.values()) session.restore()
  }

  /** Aborts old and abandoned transactions, and removes sessions that were not used for long. */
  sweep (nowMs: number): void {
    for (const [key, session] of this.#sessions) {
      const isAbandoned = session.connections.size === 0 && nowMs - session.abandonedAtMs > ABANDONED_MS
      const isTooOld = nowMs - session.transactionStartedMs > TRANSACTION_LIFETIME_MS
      if (session.state === 'open' && (isAbandoned || isTooOld)) session.transaction!.abort()
      if (nowMs - session.lastUseMs > SESSION_TIMEOUT_MINUTES * 60_000) {
        session.transaction?.abort()
        this.#sessions.delete(key)
      }
    }
  }

  /** Removes the records of sessions that were not used for long. */
  async removeExpired (nowMs: number): Promise<void> {
    await removeRecords(this.#store, nowMs - SESSION_TIMEOUT_MINUTES * 60_000, key => this.#sessions.has(key))
  }
}

function keyOf (lsid: Value): string {
  const id = isDoc(lsid) ? lsid.get('id') : undefined
  if (!(id instanceof Binary) || id.bytes.length !== 16) {
    throw mongoError('TypeMismatch', "BSON field 'lsid.id' must be a UUID")
  }
  return fromBytes(id.bytes)
}
