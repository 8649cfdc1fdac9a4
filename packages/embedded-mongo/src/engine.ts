/** Everything one running engine shares between its commands. */
import { Cursors } from './cursors.ts'
import { Sessions } from './sessions.ts'
import { reclaim } from './store/background.ts'
import { Catalog } from './store/catalog.ts'
import { EXPIRY_INTERVAL_MS, removeExpired } from './store/expiry.ts'
import { Store } from './store/store.ts'
import type { EnvironmentOptions } from './store/environment.ts'

export class Engine {
  readonly store: Store
  readonly catalog: Catalog
  readonly sessions: Sessions
  readonly cursors = new Cursors()
  readonly startedMs = Date.now()
  /** What `hello` tells clients to connect to; known when it listens. */
  address = ''
  connections = 0
  readonly counters = { insert: 0, query: 0, update: 0, delete: 0, getmore: 0, command: 0 }
  readonly #sweeper: NodeJS.Timeout
  readonly #expirer: NodeJS.Timeout
  #reclaiming = false
  #reclaimAgain = false

  constructor (options: EnvironmentOptions) {
    this.store = new Store(options)
    this.catalog = new Catalog(this.store)
    this.sessions = new Sessions(this.store)
    this.store.beforeWrite = () => {
      this.catalog.saveCounts()
      this.sessions.save(Date.now())
    }
    this.store.afterLoss = () => {
      this.catalog.reload()
      this.sessions.forgetAfter(this.store.durableSeq)
    }
    this.#sweeper = setInterval(() => {
      const nowMs = Date.now()
      this.sessions.sweep(nowMs)
      this.cursors.sweep(nowMs)
    }, 1_000)
    this.#sweeper.unref()
    this.#expirer = setInterval(() => {
      const nowMs = Date.now()
      void removeExpired(this.store, this.catalog, nowMs).then(() => this.sessions.removeExpired(nowMs)).catch(() => {})
    }, EXPIRY_INTERVAL_MS)
    this.#expirer.unref()
    this.reclaim()
  }

  /** Begins to delete what drops have left, unless that is under way. */
  reclaim (): void {
    if (this.#reclaiming) {
      this.#reclaimAgain = true
      return
    }
    this.#reclaiming = true
    void reclaim(this.store, this.catalog).catch(() => {}).then(() => {
      this.#reclaiming = false
      if (!this.#reclaimAgain) return
      this.#reclaimAgain = false
      this.reclaim()
    })
  }

  async close (): Promise<void> {
    clearInterval(this.#sweeper)
    clearInterval(this.#expirer)
    this.sessions.endAll()
    await this.store.close()
  }
}
