/**
 * Logical sessions: the open transaction of each, and the results of its latest retryable write. A driver that
 * lost a reply sends the same txnNumber and statement ids again and must get the first result, not a second write,
 * also after a crash: results and commits are stored with what they speak of.
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
/** A client whose connections broke comes back sooner, to commit by a new one. */
const ABANDONED_MS = 2_000

type TransactionState = 'none' | 'open' | 'committed' | 'aborted'

export class Session {
  readonly #store: Store
  readonly #key: string
  /** The sessions that have something to store with the commit under way. */
  readonly #unsaved: Set<Session>
  txnNumber = -1n
  state: TransactionState = 'none'
  transaction: Transaction | undefined
  transactionStartedMs = 0
  /** The open connections that the transaction's statements came by. */
  connections = new Set<number>()
  /** When the last of them closed. */
  abandonedAtMs = Infinity
  lastUseMs = 0
  /** Results of the statements of the retryable write `txnNumber`, by statement id. */
  #results = new Map<number, Doc>()
  /** What is not stored yet. */
  #fresh: SessionRecord[] = []

  constructor (store: Store, key: string, unsaved: Set<Session>) {
    this.#store = store
    this.#key = key
    this.#unsaved = unsaved
    this.restore()
  }

  /** Takes from the disk what it knows of the current transaction number or a later one; all else has not happened. */
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

  /** Puts what is new into the commit under way. */
  save (nowMs: number): void {
    for (const record of this.#fresh) putRecord(this.#store, this.#key, record, nowMs)
    this.#fresh = []
  }

  enterRetryableWrite (txnNumber: bigint): void {
    if (txnNumber < this.txnNumber) throw tooOld(this, txnNumber)
    if (txnNumber === this.txnNumber) {
      if (this.state !== 'none') throw mongoError('IncompleteTransactionHistory', `Cannot retry a retryable write that has been converted into a transaction: ${txnNumber}`)
      return
    }
    this.#begin(txnNumber, 'none')
  }

  /** What a statement of the retryable write does, or did. It is done in one turn, so that its result lands with it. */
  once (txnNumber: bigint, statementId: number, write: () => Doc): Doc {
    // While the statement waited, its client may have gone on to the next.
    if (txnNumber !== this.txnNumber) throw tooOld(this, txnNumber)
    const earlier = this.#results.get(statementId)
    if (earlier !== undefined) return earlier
    const result = write()
    this.#results.set(statementId, result)
    const last = this.#fresh.at(-1)
    if (last !== undefined && last.to === statementId - 1 && last.result === result) last.to = statementId
    else this.#remember({ txnNumber, from: statementId, to: statementId, result })
    return result
  }

  startTransaction (txnNumber: bigint, nowMs: number): Transaction {
    if (txnNumber < this.txnNumber) throw tooOld(this, txnNumber)
    if (txnNumber === this.txnNumber) throw mongoError(50911, `Cannot start a transaction at given transaction number ${txnNumber} a transaction with the same number is in state ${this.state}`)
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
      throw noSuchTransaction(`Given transaction number ${txnNumber} does not match any in-progress transactions. The active transaction number is ${this.txnNumber}`)
    }
    if (this.state === 'aborted') throw noSuchTransaction(`Transaction with { txnNumber: ${txnNumber} } has been aborted.`)
    if (this.state === 'committed') throw mongoError('TransactionCommitted', `Transaction with { txnNumber: ${txnNumber} } has been committed.`)
    return this.transaction!
  }

  /** Commits, or does nothing when it has been committed before. */
  commit (txnNumber: bigint): void {
    if (txnNumber === this.txnNumber && this.state === 'committed') return
    const { seq } = this.#store
    this.continueTransaction(txnNumber).commit()
    // One that wrote nothing may be run again after a crash.
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
    this.#fresh = []
  }

  #remember (record: SessionRecord): void {
    this.#fresh.push(record)
    this.#unsaved.add(this)
  }
}

function tooOld (session: Session, txnNumber: bigint): MongoError {
  return mongoError('TransactionTooOld', `Cannot start transaction with { txnNumber: ${txnNumber} } because a newer transaction with txnNumber ${session.txnNumber} has already started on this session.`)
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

  /** The session of an `lsid`, made if need be. */
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

  /** Stores what sessions have done in the commit under way; to be called before that is written. */
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

  /** A transaction whose connections have all gone is most often one whose client has gone: what it locks is freed soon. */
  disconnected (connectionId: number, nowMs: number): void {
    for (const session of this.#sessions.values()) {
      if (session.connections.delete(connectionId) && session.connections.size === 0) session.abandonedAtMs = nowMs
    }
  }

  /** After a loss: what is not on disk has not been done. */
  restore (): void {
    this.#unsaved.clear()
    for (const session of this.#sessions.values()) session.restore()
  }

  /** Aborts transactions that have lived too long or are abandoned, and forgets sessions that nobody has used for long. */
  sweep (nowMs: number): void {
    for (const [key, session] of this.#sessions) {
      const isAbandoned = session.connections.size === 0 && nowMs - session.abandonedAtMs > ABANDONED_MS
      if (session.state === 'open' && (isAbandoned || nowMs - session.transactionStartedMs > TRANSACTION_LIFETIME_MS)) session.transaction!.abort()
      if (nowMs - session.lastUseMs > SESSION_TIMEOUT_MINUTES * 60_000) {
        session.transaction?.abort()
        this.#sessions.delete(key)
      }
    }
  }

  /** Removes what is stored of sessions that nobody has used for long. */
  async removeExpired (nowMs: number): Promise<void> {
    await removeRecords(this.#store, nowMs - SESSION_TIMEOUT_MINUTES * 60_000, key => this.#sessions.has(key))
  }
}

function keyOf (lsid: Value): string {
  const id = isDoc(lsid) ? lsid.get('id') : undefined
  if (!(id instanceof Binary) || id.bytes.length !== 16) throw mongoError('TypeMismatch', "BSON field 'lsid.id' must be a UUID")
  return fromBytes(id.bytes)
}
