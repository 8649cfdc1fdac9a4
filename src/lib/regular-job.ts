/**
 * Runs a job again and again, about every `everyMs`. The time varies, so that nodes which start together drift apart.
 * The wait for the next run begins when a run has ended.
 */
export class RegularJob {
  private readonly everyMs: number
  private readonly run: (signal: AbortSignal) => Promise<void>
  private readonly stop = new AbortController()
  private timer: NodeJS.Timeout | undefined
  private running: Promise<void> = Promise.resolve()

  /**
   * @param everyMs average milliseconds between two runs
   * @param run must not reject; the signal tells it to end early
   */
  constructor (everyMs: number, run: (signal: AbortSignal) => Promise<void>) {
    this.everyMs = everyMs
    this.run = run
  }

  /** Runs it now, or once more when the present run has ended; resolves after that. */
  readonly start = async (): Promise<void> => {
    this.running = this.running.then(async () => {
      if (this.stop.signal.aborted) return
      await this.run(this.stop.signal)
      if (!this.stop.signal.aborted) this.wait()
    })
    await this.running
  }

  /** Runs it the next time. */
  wait (): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => { void this.start() }, this.everyMs * (0.9 + Math.random() * 0.2)).unref()
  }

  /** Ends a run, and waits for it. */
  async close (): Promise<void> {
    this.stop.abort()
    clearTimeout(this.timer)
    await this.running
  }
}
