/**
 * A multi-document transaction: a snapshot, its own writes over that, and the keys that they lock. The first writer of
 * a key wins. A second transaction, or one that would overwrite what its snapshot does not contain, fails at once with
 * WriteConflict. Without that check, one client's read-modify-write would silently undo another's.
 */
import { writeConflict } from '../values/errors.ts'
import type { Collection } from './collection.ts'
import type { Pin } from './environment.ts'
import { Layer } from './layer.ts'
import type { Store } from './store.ts'
import type { View } from './view.ts'
import type { Writer } from './writer.ts'

/** A collection that a transaction creates; `publish` makes it visible to others. */
export type Created = { readonly collection: Collection, readonly publish: () => void }

export class Transaction implements Writer {
  readonly #store: Store
  readonly #pin: Pin
  readonly #own = new Layer()
  readonly #locked: string[] = []
  /** By namespace: collections that only this transaction sees until it commits. */
  readonly created = new Map<string, Created>()
  readonly view: View
  state: 'open' | 'committed' | 'aborted' = 'open'
  /** Resolves when the transaction has released its locks. */
  readonly ended: Promise<void>
  #end!: () => void
  readonly #onEnd: (state: 'committed' | 'aborted') => void

  constructor (store: Store, onEnd: (state: 'committed' | 'aborted') => void) {
    this.#store = store
    this.#onEnd = onEnd
    const { view, pin } = store.snapshot(this.#own)
    this.view = view
    this.#pin = pin
    this.ended = new Promise(resolve => { this.#end = resolve })
    store.transactions.add(this)
  }

  nextCommit (): void {}

  put (key: string, value: Buffer | null): void {
    this.#own.put(key, value, 0)
  }

  lock (key: string): void {
    const holder = this.#store.locks.get(key)
    if (holder === this) return
    if (holder !== undefined) throw writeConflict()
    if (this.#store.seq > this.view.seq && !sameBytes(this.view.get(key), this.#store.view.peek(key))) {
      throw writeConflict()
    }
    this.#store.locks.set(key, this)
    this.#locked.push(key)
  }

  /** Makes the writes visible as one commit. */
  commit (): void {
    if (this.#own.versions.size > 0 || this.created.size > 0) {
      this.#store.nextCommit()
      for (const { publish } of this.created.values()) publish()
      this.#own.forEachNewest((key, value) => this.#store.put(key, value))
    }
    this.#finish('committed')
  }

  abort (): void {
    if (this.state === 'open') this.#finish('aborted')
  }

  #finish (state: 'committed' | 'aborted'): void {
    this.state = state
    for (const key of this.#locked) this.#store.locks.delete(key)
    this.#store.transactions.delete(this)
    this.#pin.done()
    this.#onEnd(state)
    this.#end()
  }
}

function sameBytes (a: Buffer | undefined, b: Buffer | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a === b || a.equals(b)
}
