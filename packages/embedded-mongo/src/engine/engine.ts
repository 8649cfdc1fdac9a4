/** Everything that the commands of one running engine share. */
import { Cursors } from './cursors.ts'
import { Sessions } from './sessions.ts'
import { reclaim } from '../store/background.ts'
import { Catalog } from '../store/catalog.ts'
import { Store } from '../store/store.ts'
import type { EnvironmentOptions } from '../store/environment.ts'

/** Milliseconds between two sweeps of old sessions and cursors. */
const SWEEP_INTERVAL_MS = 1_000

export class Engine {
  readonly store: Store
  readonly catalog: Catalog
  readonly sessions: Sessions
  readonly cursors = new Cursors()
  readonly startedMs = Date.now()
  /** The address that `hello` returns; set when the server listens. */
  address = ''
  connections = 0
  /** Tells long commands and background work to end. */
  closing = false
  readonly #timers: NodeJS.Timeout[] = []
  #background: Promise<void> = Promise.resolve()

  constructor (options: EnvironmentOptions) {
    this.store = new Store(options)
    this.catalog = new Catalog(this.store)
    this.sessions = new Sessions(this.store)
    this.store.beforeWrite = () => { this.sessions.save(Date.now()) }
    this.store.afterLoss = () => {
      this.catalog.reload()
      this.sessions.restore()
    }
    this.#repeat(SWEEP_INTERVAL_MS, nowMs => {
      this.store.requireFile()
      this.sessions.sweep(nowMs)
      this.cursors.sweep(nowMs)
    })
    this.reclaim()
  }

  /** Calls `work` in the background every `intervalMs` milliseconds, until the engine closes. */
  every (intervalMs: number, work: (nowMs: number) => Promise<void>): void {
    this.#repeat(intervalMs, nowMs => { this.#inBackground(() => work(nowMs)) })
  }

  /** Deletes the data of dropped collections and indexes. */
  reclaim (): void {
    this.#inBackground(() => reclaim(this.store, this.catalog))
  }

  /** Background work is done one piece after the other. Work that fails is left to the next time. */
  #inBackground (work: () => Promise<void>): void {
    this.#background = this.#background.then(async () => { if (!this.closing) await work() }).catch(() => {})
  }

  #repeat (intervalMs: number, work: (nowMs: number) => void): void {
    this.#timers.push(setInterval(() => { work(Date.now()) }, intervalMs).unref())
  }

  async close (): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.closing = true
    this.sessions.endAll()
    await this.#background
    await this.store.close()
  }
}
