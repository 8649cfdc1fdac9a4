/**
 * A multi-document transaction: a snapshot, the writes laid over it, and the keys they lock. The first writer of a
 * key wins; a transaction that comes second, or that would overwrite something its snapshot has not seen, fails at
 * once with WriteConflict. If that check were missing, a client's read-modify-write would silently undo another's.
 */
import { writeConflict } from '../values/errors.ts'
import type { Collection } from './collection.ts'
import type { Pin } from './environment.ts'
import { Layer } from './layer.ts'
import type { Store } from './store.ts'
import type { View } from './view.ts'
import type { Writer } from './writer.ts'

/** A collection made by a transaction, and what makes it everybody's. */
export type Created = { readonly collection: Collection, readonly publish: () => void }

export class Transaction implements Writer {
  readonly #store: Store
  readonly #pin: Pin
  readonly #own = new Layer()
  readonly #locked: string[] = []
  /** Collections that exist for this transaction only until it commits, by namespace. */
  readonly created = new Map<string, Created>()
  readonly view: View
  state: 'open' | 'committed' | 'aborted' = 'open'
  /** Resolves when the transaction holds no lock any more. */
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

  claim (key: string): void {
    const holder = this.#store.locks.get(key)
    if (holder === this) return
    if (holder !== undefined) throw writeConflict()
    if (this.#store.seq > this.view.seq && !sameBytes(this.view.get(key), this.#store.view.peek(key))) throw writeConflict()
    this.#store.locks.set(key, this)
    this.#locked.push(key)
  }

  /** Makes the writes visible as one commit; durable like any other. */
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
