/** Everything one running engine shares between its commands. */
import { Cursors } from './cursors.ts'
import { EXPIRY_INTERVAL_MS, removeExpired } from '../server/expiry.ts'
import { Sessions } from './sessions.ts'
import { reclaim } from '../store/background.ts'
import { Catalog } from '../store/catalog.ts'
import { Store } from '../store/store.ts'
import type { EnvironmentOptions } from '../store/environment.ts'

export class Engine {
  readonly store: Store
  readonly catalog: Catalog
  readonly sessions: Sessions
  readonly cursors = new Cursors()
  readonly startedMs = Date.now()
  /** What `hello` tells clients to connect to; known when it listens. */
  address = ''
  connections = 0
  /** Long work of its own is to end. */
  closing = false
  readonly #sweeper: NodeJS.Timeout
  readonly #expirer: NodeJS.Timeout
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
    this.#sweeper = setInterval(() => {
      const nowMs = Date.now()
      this.sessions.sweep(nowMs)
      this.cursors.sweep(nowMs)
    }, 1_000)
    this.#sweeper.unref()
    this.#expirer = setInterval(() => {
      const nowMs = Date.now()
      this.#inBackground(async () => {
        await removeExpired(this, nowMs)
        await this.sessions.removeExpired(nowMs)
      })
    }, EXPIRY_INTERVAL_MS)
    this.#expirer.unref()
    this.reclaim()
  }

  /** Deletes what drops have left. */
  reclaim (): void {
    this.#inBackground(() => reclaim(this.store, this.catalog))
  }

  /** Work of the engine's own is done one after the other; what fails is left to the next time. */
  #inBackground (work: () => Promise<void>): void {
    this.#background = this.#background.then(async () => { if (!this.closing) await work() }).catch(() => {})
  }

  async close (): Promise<void> {
    clearInterval(this.#sweeper)
    clearInterval(this.#expirer)
    this.closing = true
    this.sessions.endAll()
    await this.#background
    await this.store.close()
  }
}
