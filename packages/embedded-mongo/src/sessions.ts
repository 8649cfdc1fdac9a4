/**
 * Logical sessions: the open transaction of each, and the results of its latest retryable write. A driver that
 * lost a reply sends the same txnNumber and statement ids again and must get the first result, not a second write.
 * Sessions live in memory: the only client that could retry after a crash of this process is one outside of it.
 */
import { mongoError } from './errors.ts'
import type { MongoError } from './errors.ts'
import { Binary, isDoc } from './values.ts'
import type { Doc, Value } from './values.ts'
import { fromBytes } from './store/keys.ts'
import type { Store } from './store/store.ts'
import type { Transaction } from './store/transaction.ts'

export const SESSION_TIMEOUT_MINUTES = 30
export const TRANSACTION_LIFETIME_MS = 60_000

type TransactionState = 'none' | 'open' | 'committed' | 'aborted'

export class Session {
  txnNumber = -1n
  state: TransactionState = 'none'
  transaction: Transaction | undefined
  transactionStartedMs = 0
  /** The open connections that the transaction's statements came by. */
  connections = new Set<number>()
  lastUseMs = 0
  /** The newest commit that the state and the results speak of. */
  seq = 0
  /** Results of the statements of the retryable write `txnNumber`, by statement id. */
  results = new Map<number, Doc>()

  /** Enters a retryable write; its results so far are in `results`. */
  enterRetryableWrite (txnNumber: bigint): void {
    if (txnNumber < this.txnNumber) throw tooOld(this, txnNumber)
    if (txnNumber === this.txnNumber) {
      if (this.state !== 'none') throw mongoError('IncompleteTransactionHistory', `Cannot retry a retryable write that has been converted into a transaction: ${txnNumber}`)
      return
    }
    this.abort()
    this.txnNumber = txnNumber
    this.state = 'none'
    this.results = new Map()
  }

  startTransaction (txnNumber: bigint, store: Store, nowMs: number): Transaction {
    if (txnNumber < this.txnNumber) throw tooOld(this, txnNumber)
    if (txnNumber === this.txnNumber) throw mongoError(50911, `Cannot start a transaction at given transaction number ${txnNumber} a transaction with the same number is in state ${this.state}`)
    this.abort()
    this.txnNumber = txnNumber
    this.state = 'open'
    this.transactionStartedMs = nowMs
    this.connections = new Set()
    this.results = new Map()
    this.transaction = store.begin()
    return this.transaction
  }

  /** The open transaction `txnNumber`. */
  continueTransaction (txnNumber: bigint): Transaction {
    if (txnNumber < this.txnNumber) throw tooOld(this, txnNumber)
    this.#notice()
    if (txnNumber !== this.txnNumber || this.state === 'none') {
      throw noSuchTransaction(`Given transaction number ${txnNumber} does not match any in-progress transactions. The active transaction number is ${this.txnNumber}`)
    }
    if (this.state === 'aborted') throw noSuchTransaction(`Transaction with { txnNumber: ${txnNumber} } has been aborted.`)
    if (this.state === 'committed') throw mongoError('TransactionCommitted', `Transaction with { txnNumber: ${txnNumber} } has been committed.`)
    return this.transaction!
  }

  /** Commits, or does nothing when it has been committed before. */
  commit (txnNumber: bigint, store: Store): void {
    if (txnNumber === this.txnNumber && this.state === 'committed') return
    this.continueTransaction(txnNumber).commit()
    this.state = 'committed'
    this.seq = store.seq
    this.transaction = undefined
  }

  abort (): void {
    this.#notice()
    if (this.state !== 'open') return
    this.transaction!.abort()
    this.transaction = undefined
    this.state = 'aborted'
  }

  /** The store may have ended the transaction by itself. */
  #notice (): void {
    if (this.state !== 'open' || this.transaction!.state === 'open') return
    this.transaction = undefined
    this.state = 'aborted'
  }
}

function tooOld (session: Session, txnNumber: bigint): MongoError {
  return mongoError('TransactionTooOld', `Cannot start transaction with { txnNumber: ${txnNumber} } because a newer transaction with txnNumber ${session.txnNumber} has already started on this session.`)
}

function noSuchTransaction (message: string): MongoError {
  return mongoError('NoSuchTransaction', message, ['TransientTransactionError'])
}

export class Sessions {
  readonly #sessions = new Map<string, Session>()

  /** The session of an `lsid`, made if need be. */
  get (lsid: Value, nowMs: number): Session {
    const key = keyOf(lsid)
    let session = this.#sessions.get(key)
    if (session === undefined) {
      session = new Session()
      this.#sessions.set(key, session)
    }
    session.lastUseMs = nowMs
    return session
  }

  end (lsid: Value): void {
    const key = keyOf(lsid)
    this.#sessions.get(key)?.abort()
    this.#sessions.delete(key)
  }

  endAll (): void {
    for (const session of this.#sessions.values()) session.abort()
    this.#sessions.clear()
  }

  /**
   * A transaction whose connections have all gone is one whose client has gone: what it locks is freed at once. A
   * client that lives and comes back by another connection is told to begin again.
   */
  disconnected (connectionId: number): void {
    for (const session of this.#sessions.values()) {
      if (session.connections.delete(connectionId) && session.connections.size === 0) session.abort()
    }
  }

  /** After a loss: what was done after the newest commit on disk has not been done. */
  forgetAfter (durableSeq: number): void {
    for (const session of this.#sessions.values()) {
      if (session.seq <= durableSeq) continue
      session.results = new Map()
      if (session.state === 'committed') session.state = 'aborted'
    }
  }

  /** Aborts transactions that have lived too long and forgets sessions that nobody has used for long. */
  sweep (nowMs: number): void {
    for (const [key, session] of this.#sessions) {
      if (session.state === 'open' && nowMs - session.transactionStartedMs > TRANSACTION_LIFETIME_MS) session.abort()
      if (nowMs - session.lastUseMs > SESSION_TIMEOUT_MINUTES * 60_000) {
        session.abort()
        this.#sessions.delete(key)
      }
    }
  }
}

function keyOf (lsid: Value): string {
  const id = isDoc(lsid) ? lsid.get('id') : undefined
  if (!(id instanceof Binary) || id.bytes.length !== 16) throw mongoError('TypeMismatch', "BSON field 'lsid.id' must be a UUID")
  return fromBytes(id.bytes)
}
