/**
 * Commits, snapshots and transactions over LMDB.
 *
 * A commit is visible as soon as it is in the current layer and durable when that layer is on disk. One layer is
 * written at a time; whatever is committed meanwhile gathers in the next one, so all commands that wait share one
 * LMDB transaction and one sync. A caller that acknowledges a write before `durable()` resolves would lose
 * acknowledged writes at a crash.
 */
import { Environment, FileGone } from './environment.ts'
import type { EnvironmentOptions, Pin } from './environment.ts'
import { Layer } from './layer.ts'
import { View } from './view.ts'
import { Locked } from './writer.ts'
import type { LockHolder, Writer } from './writer.ts'

/** As a writer, each document is a commit of its own. */
export class Store implements Writer {
  readonly #environment: Environment
  /** Oldest first: the layer being written, if any, and the one that gathers. */
  #layers: Layer[] = [new Layer()]
  #writing: Promise<void> = Promise.resolve()
  /** A write is scheduled or under way; whatever is committed meanwhile will be written by it. */
  #busy = false
  #closed = false
  #seq = 0
  /** Why a layer was last lost. */
  loss: Error | undefined

  /** The newest state, durable or not. */
  readonly view: View
  /** Keys written by open transactions. */
  readonly locks = new Map<string, LockHolder>()
  readonly transactions = new Set<LockHolder>()
  /** Called before a layer is written, to add bookkeeping that belongs to the same LMDB transaction. */
  beforeWrite: () => void = () => {}
  /** Called after a layer could not be written: memory is back at what is on disk. */
  afterLoss: () => void = () => {}

  constructor (options: EnvironmentOptions) {
    this.#environment = new Environment(options)
    this.view = new View(this.#environment, () => this.#layers)
  }

  get seq (): number {
    return this.#seq
  }

  get closed (): boolean {
    return this.#closed
  }

  /** Starts one atomic commit; all `put`s until the next call belong to it. Must not be spread over an await. */
  nextCommit (): number {
    this.#schedule()
    return ++this.#seq
  }

  claim (key: string): void {
    const holder = this.locks.get(key)
    if (holder !== undefined) throw new Locked(holder)
  }

  put (key: string, value: Buffer | null): void {
    this.#layers[this.#layers.length - 1]!.put(key, value, this.#seq)
  }

  /** Resolves when everything visible now is on disk. */
  durable (): Promise<void> {
    const current = this.#layers[this.#layers.length - 1]!
    if (current.versions.size > 0) return current.landed
    return this.#layers.length > 1 ? this.#layers[0]!.landed : Promise.resolve()
  }

  /** What is committed now, for as long as the pin is held, with the writes of one transaction laid over it. */
  snapshot (own: Layer): { view: View, pin: Pin } {
    const pin = this.#environment.pin()
    const layers = this.#layers.slice()
    return { pin, view: new View(this.#environment, () => layers, this.#seq, pin, own) }
  }

  /** The open transaction, if any, that has written a key beginning with `prefix`. */
  lockHolder (prefix: string): LockHolder | undefined {
    for (const [key, transaction] of this.locks) if (key.startsWith(prefix)) return transaction
    return undefined
  }

  #schedule (): void {
    if (this.#busy) return
    this.#busy = true
    // After this turn's sockets have been read, so that their commands share the commit.
    setImmediate(() => { this.#writing = this.#writeAll() })
  }

  async #writeAll (): Promise<void> {
    while (this.#layers[0]!.versions.size > 0) {
      const layer = this.#layers[0]!
      this.beforeWrite()
      this.#layers = [layer, new Layer()]
      try {
        await this.#environment.write(layer)
      } catch (error) {
        // Nobody is answered: the thread ends by this, and whoever waits finds out that it does not know.
        if (error instanceof FileGone) throw error
        // First, as what is put right after a loss is to be written too.
        this.#busy = false
        this.#lose(error as Error)
        return
      }
      this.#layers = [this.#layers[1]!]
      layer.resolve()
    }
    this.#busy = false
  }

  /** What is in memory builds on what could not be written: all of it is lost, and everybody waiting is told. */
  #lose (error: Error): void {
    const lost = this.#layers
    this.#layers = [new Layer()]
    this.loss = error
    for (const transaction of [...this.transactions]) transaction.abort()
    for (const layer of lost) layer.reject(error)
    this.afterLoss()
  }

  /** @throws FileGone if what is written now would be lost. */
  requireFile (): void {
    this.#environment.requireFile()
  }

  /** Copies everything that is visible now to a new file. */
  async backup (file: string): Promise<void> {
    await this.durable()
    await this.#environment.backup(file)
  }

  async close (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const transaction of [...this.transactions]) transaction.abort()
    await this.durable().catch(() => {})
    await this.#writing
    await this.#environment.close()
  }
}
