/** Least milliseconds between two lines. */
const everyMs = 10_000

/** Logs the refusals of one connection once a while, with how many there were since: a line for each would be a flood of its own. */
export class RefusalLog {
  private readonly write: (line: { event: string, code: string, refusals: number }) => void
  private readonly now: () => number
  private nextAt = 0
  private unwritten: { event: string, code: string, refusals: number } | undefined

  /** @param write gets the last refusal and how many there were since the line before */
  constructor (write: (line: { event: string, code: string, refusals: number }) => void, now: () => number = Date.now) {
    this.write = write
    this.now = now
  }

  add (event: string, code: string): void {
    this.unwritten = { event, code, refusals: (this.unwritten?.refusals ?? 0) + 1 }
    if (this.now() >= this.nextAt) this.flush()
  }

  /** Writes what is not written yet. */
  flush (): void {
    if (this.unwritten === undefined) return
    this.write(this.unwritten)
    this.unwritten = undefined
    this.nextAt = this.now() + everyMs
  }
}
