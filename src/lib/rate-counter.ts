interface Window {
  count: number
  /** Milliseconds since 1970. */
  endsAt: number
}

/**
 * Counts each key's events in a window that begins with the first one. It costs one look into a map and makes no
 * promise, because many packets a second pass it. Keys whose window has ended are deleted once a window.
 */
export class RateCounter {
  readonly max: number
  readonly windowMs: number
  private readonly now: () => number
  private readonly windows = new Map<string, Window>()
  private sweepAt = 0

  /** @param max events of a key in a window; 0: unlimited */
  constructor (max: number, windowMs: number, now: () => number = Date.now) {
    this.max = max
    this.windowMs = windowMs
    this.now = now
  }

  /** Counts, even above the maximum. @returns the key's count in its window, including this call */
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

  /** The key's count in its window. */
  countOf (key: string): number {
    const window = this.windows.get(key)
    return window === undefined || this.now() >= window.endsAt ? 0 : window.count
  }

  /** Milliseconds until the key's window ends, at least 1. */
  waitMs (key: string): number {
    return Math.max(1, (this.windows.get(key)?.endsAt ?? 0) - this.now())
  }

  /** Number of keys in memory. */
  get size (): number {
    return this.windows.size
  }

  private sweep (now: number): void {
    this.sweepAt = now + this.windowMs
    for (const [key, { endsAt }] of this.windows) if (now >= endsAt) this.windows.delete(key)
  }
}
