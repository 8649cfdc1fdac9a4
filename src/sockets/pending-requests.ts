import { setTimeout as delay } from 'node:timers/promises'

/** Socket requests that are not answered yet, so that a shutdown can wait for them. */
export class PendingRequests {
  closing = false
  private readonly running = new Set<Promise<void>>()

  /** @param work settles when the answer is sent, and never rejects */
  add (work: Promise<void>): void {
    this.running.add(work)
    void work.then(() => { this.running.delete(work) })
  }

  /** Resolves when everything is answered, or after `patienceMs`. */
  async drain (patienceMs: number): Promise<void> {
    const patience = new AbortController()
    const settled = Promise.all(this.running).then(() => { patience.abort() })
    await Promise.race([settled, delay(patienceMs, undefined, { signal: patience.signal }).catch(() => {})])
  }
}
