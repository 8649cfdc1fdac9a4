interface Window {
  count: number
  /** Milliseconds since 1970. */
  endsAt: number
}

/**
 * Counts what each key does in a window of time that begins with the key's first count. It costs a look into a map:
 * what many packets a second pass through makes no promise. Keys whose window has ended are deleted once a window.
 */
export class RateCounter {
  readonly max: number
  readonly windowMs: number
  private readonly now: () => number
  private readonly windows = new Map<string, Window>()
  private sweepAt = 0

  /** @param max what a key may do in a window; 0: any amount */
  constructor (max: number, windowMs: number, now: () => number = Date.now) {
    this.max = max
    this.windowMs = windowMs
    this.now = now
  }

  /** Counts, also above the maximum. @returns how often the key has been counted in its window, this time included */
  add (key: string, times = 1): number {
    if (this.max === 0) return 0
    const now = this.now()
    if (now >= this.sweepAt) this.sweep(now)
    const window = this.windows.get(key)
    if (window === undefined || now >= window.endsAt) {
      this.windows.set(key, { count: times, endsAt: now + this.windowMs })
      return times
    }
    window.count += times
    return window.count
  }

  /** How often the key has been counted in its window. */
  countOf (key: string): number {
    const window = this.windows.get(key)
    return window === undefined || this.now() >= window.endsAt ? 0 : window.count
  }

  /** Milliseconds until the key's window ends; 1 at least. */
  waitMs (key: string): number {
    return Math.max(1, (this.windows.get(key)?.endsAt ?? 0) - this.now())
  }

  /** Keys that are remembered. */
  get size (): number {
    return this.windows.size
  }

  private sweep (now: number): void {
    this.sweepAt = now + this.windowMs
    for (const [key, { endsAt }] of this.windows) if (now >= endsAt) this.windows.delete(key)
  }
}
