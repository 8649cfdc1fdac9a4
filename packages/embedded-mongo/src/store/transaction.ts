/**
 * A multi-document transaction: a snapshot, the writes laid over it, and the keys they lock. The first writer of a
 * key wins; a transaction that comes second, or that would overwrite something its snapshot has not seen, fails at
 * once with WriteConflict. If that check were missing, a client's read-modify-write would silently undo another's.
 */
import { writeConflict } from '../errors.ts'
import type { Collection } from './collection.ts'
import type { Pin } from './environment.ts'
import { Layer } from './layer.ts'
import type { Store } from './store.ts'
import type { View } from './view.ts'
import type { Counted, Writer } from './writer.ts'

/** A collection made by a transaction, and what is to be done with it at the end. */
export interface Created {
  readonly collection: Collection
  readonly publish: () => void
  readonly discard: () => void
}

export class Transaction implements Writer {
  readonly #store: Store
  readonly #pin: Pin
  readonly #own = new Layer()
  readonly #locked: string[] = []
  readonly #counts = new Map<Counted, number>()
  /** Collections that exist for this transaction only until it commits, by namespace. */
  readonly created = new Map<string, Created>()
  readonly view: View
  state: 'open' | 'committed' | 'aborted' = 'open'
  /** Resolves when the transaction holds no lock any more. */
  readonly ended: Promise<void>
  #end!: () => void

  constructor (store: Store) {
    this.#store = store
    const { view, pin } = store.snapshot(this.#own)
    this.view = view
    this.#pin = pin
    this.ended = new Promise(resolve => { this.#end = resolve })
    store.transactions.add(this)
  }

  nextWrite (): void {}

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

  addCount (collection: Counted, delta: number): void {
    this.#counts.set(collection, (this.#counts.get(collection) ?? 0) + delta)
  }

  /** Makes the writes visible as one commit; durable like any other. */
  commit (): void {
    if (this.#own.versions.size > 0 || this.created.size > 0) {
      this.#store.nextCommit()
      for (const { publish } of this.created.values()) publish()
      this.#own.forEachNewest((key, value) => this.#store.put(key, value))
      for (const [collection, delta] of this.#counts) collection.addCount(delta)
    }
    this.#finish('committed')
  }

  abort (): void {
    if (this.state !== 'open') return
    for (const { discard } of this.created.values()) discard()
    this.#finish('aborted')
  }

  #finish (state: 'committed' | 'aborted'): void {
    this.state = state
    for (const key of this.#locked) this.#store.locks.delete(key)
    this.#store.transactions.delete(this)
    this.#pin.done()
    this.#end()
  }
}

function sameBytes (a: Buffer | undefined, b: Buffer | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a === b || a.equals(b)
}
