/** Where the writes of one document go: straight into the current commit (the store), or into a transaction. */
import type { View } from './view.ts'

export interface Writer {
  readonly view: View
  /** Begins the writes of the next document: they become visible together. */
  nextCommit: () => void
  /** To be called for every document and every unique key before any `put` of the same document. */
  claim: (key: string) => void
  put: (key: string, value: Buffer | null) => void
}

/** An open transaction, as far as others meet it. */
export interface LockHolder {
  abort: () => void
  /** Resolves when it holds no lock any more. */
  readonly ended: Promise<void>
}

/** Thrown by a plain write that meets an open transaction's key: wait for the transaction to end, then repeat. */
export class Locked extends Error {
  readonly holder: LockHolder

  constructor (holder: LockHolder) {
    super('locked by an open transaction')
    this.holder = holder
  }
}
