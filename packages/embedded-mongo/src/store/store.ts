/**
 * Commits, snapshots and transactions over LMDB.
 *
 * A commit is visible as soon as it is in the current layer, and durable when that layer is on disk. One layer is
 * written at a time. Commits that arrive meanwhile go into the next layer, so all waiting commands share one LMDB
 * transaction and one sync. Danger: a write that is acknowledged before `durable()` resolves may be lost in a crash.
 */
import { Environment, FileGone } from './environment.ts'
import type { EnvironmentOptions, Pin } from './environment.ts'
import { Layer } from './layer.ts'
import { View } from './view.ts'
import { Locked } from './writer.ts'
import type { LockHolder, Writer } from './writer.ts'

/** As a `Writer`, it makes each document a commit of its own. */
export class Store implements Writer {
  readonly #environment: Environment
  /** Oldest first: the layer that is being written, if there is one, and the current one. */
  #layers: Layer[] = [new Layer()]
  #writing: Promise<void> = Promise.resolve()
  /** A write to disk is scheduled or running. It also writes what is committed meanwhile. */
  #busy = false
  #closed = false
  #seq = 0
  /** The error of the last layer that could not be written. */
  loss: Error | undefined

  /** The newest state, durable or not. */
  readonly view: View
  /** Keys that open transactions have locked. */
  readonly locks = new Map<string, LockHolder>()
  readonly transactions = new Set<LockHolder>()
  /** Called before a layer is written, to add records that belong to the same LMDB transaction. */
  beforeWrite: () => void = () => {}
  /** Called if a layer could not be written, after memory has returned to what is on disk. */
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

  /** Starts one atomic commit: all `put`s until the next call belong to it. There must be no `await` between them. */
  nextCommit (): number {
    this.#schedule()
    return ++this.#seq
  }

  lock (key: string): void {
    const holder = this.locks.get(key)
    if (holder !== undefined) throw new Locked(holder)
  }

  put (key: string, value: Buffer | null): void {
    this.#layers[this.#layers.length - 1]!.put(key, value, this.#seq)
  }

  /** Resolves when everything that is visible now is on disk. */
  durable (): Promise<void> {
    const current = this.#layers[this.#layers.length - 1]!
    if (current.versions.size > 0) return current.written
    return this.#layers.length > 1 ? this.#layers[0]!.written : Promise.resolve()
  }

  /** A view of what is committed now, for as long as the pin is held, under the transaction's own writes. */
  snapshot (own: Layer): { view: View, pin: Pin } {
    const pin = this.#environment.pin()
    const layers = this.#layers.slice()
    return { pin, view: new View(this.#environment, () => layers, this.#seq, pin, own) }
  }

  /** An open transaction that has locked a key with this prefix, if there is one. */
  lockHolder (prefix: string): LockHolder | undefined {
    for (const [key, transaction] of this.locks) if (key.startsWith(prefix)) return transaction
    return undefined
  }

  #schedule (): void {
    if (this.#busy) return
    this.#busy = true
    // After the sockets of this tick have been read, so that their commands share one write.
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
        // This ends the thread. Waiting clients get no answer, because their writes have an unknown outcome.
        if (error instanceof FileGone) throw error
        // Set first: the repairs in `afterLoss` schedule a write of their own.
        this.#busy = false
        this.#lose(error as Error)
        return
      }
      this.#layers = [this.#layers[1]!]
      layer.resolve()
    }
    this.#busy = false
  }

  /**
   * All commits in memory may depend on what could not be written: they are dropped, and everybody who waits gets the
   * error.
   */
  #lose (error: Error): void {
    const lost = this.#layers
    this.#layers = [new Layer()]
    this.loss = error
    for (const transaction of [...this.transactions]) transaction.abort()
    for (const layer of lost) layer.reject(error)
    this.afterLoss()
  }

  /** @throws FileGone if the file was deleted or replaced, so that new writes would be lost */
  requireFile (): void {
    this.#environment.requireFile()
  }

  /** Copies everything that is visible now into a new file. */
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
