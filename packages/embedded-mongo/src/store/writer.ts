/** Where the writes of one document go: straight into the current commit, or into a transaction. */
import type { Store } from './store.ts'
import type { Transaction } from './transaction.ts'
import type { View } from './view.ts'

/** Something whose number of documents is kept. */
export interface Counted {
  addCount: (delta: number) => void
}

export interface Writer {
  readonly view: View
  /** Begins the writes of the next document: they become visible together. */
  nextWrite: () => void
  /** To be called for every document and every unique key before any `put` of the same document. */
  claim: (key: string) => void
  put: (key: string, value: Buffer | null) => void
  addCount: (collection: Counted, delta: number) => void
}

/** Thrown by a plain write that meets an open transaction's key: wait for the transaction to end, then repeat. */
export class Locked extends Error {
  readonly holder: Transaction

  constructor (holder: Transaction) {
    super('locked by an open transaction')
    this.holder = holder
  }
}

/** Writes outside transactions: each document is a commit of its own. */
export class PlainWriter implements Writer {
  readonly #store: Store
  readonly view: View

  constructor (store: Store) {
    this.#store = store
    this.view = store.latest
  }

  nextWrite (): void {
    this.#store.nextCommit()
  }

  claim (key: string): void {
    const holder = this.#store.locks.get(key)
    if (holder !== undefined) throw new Locked(holder)
  }

  put (key: string, value: Buffer | null): void {
    this.#store.put(key, value)
  }

  addCount (collection: Counted, delta: number): void {
    collection.addCount(delta)
  }
}
