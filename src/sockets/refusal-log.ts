/** Minimum milliseconds between two log lines. */
const everyMs = 10_000

/** Logs the refusals of one connection at intervals, with their number: a line for each would flood the log. */
export class RefusalLog {
  private readonly write: (line: { event: string, code: string, refusals: number }) => void
  private readonly now: () => number
  private nextAt = 0
  /** Refusals so far. */
  count = 0
  private unwritten: { event: string, code: string, refusals: number } | undefined

  /** @param write gets the last refusal and the number of refusals since the previous line */
  constructor (write: (line: { event: string, code: string, refusals: number }) => void, now: () => number = Date.now) {
    this.write = write
    this.now = now
  }

  add (event: string, code: string): void {
    this.count++
    this.unwritten = { event, code, refusals: (this.unwritten?.refusals ?? 0) + 1 }
    if (this.now() >= this.nextAt) this.flush()
  }

  /** Writes refusals that are not logged yet. */
  flush (): void {
    if (this.unwritten === undefined) return
    this.write(this.unwritten)
    this.unwritten = undefined
    this.nextAt = this.now() + everyMs
  }
}
