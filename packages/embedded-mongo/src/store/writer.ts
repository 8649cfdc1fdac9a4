/** The destination of a document's writes: the current commit (`Store`), or a transaction. */
import type { View } from './view.ts'

export interface Writer {
  readonly view: View
  /** Begins the writes of the next document, which become visible together. */
  nextCommit: () => void
  /** Must be called for a document's key and all its unique keys, before the first `put` of that document. */
  lock: (key: string) => void
  put: (key: string, value: Buffer | null) => void
}

/** The part of an open transaction that other writers use. */
export interface LockHolder {
  abort: () => void
  /** Resolves when it has released its locks. */
  readonly ended: Promise<void>
}

/** Thrown if a write outside of transactions needs a locked key: wait until the transaction ends, then repeat. */
export class Locked extends Error {
  readonly holder: LockHolder

  constructor (holder: LockHolder) {
    super('locked by an open transaction')
    this.holder = holder
  }
}
