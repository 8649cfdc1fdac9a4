import type { Clock } from '../../src/types.ts'

/** Time that passes when it is told to. */
export class FakeClock implements Clock {
  private time = 1_800_000_000_000
  /** What timers go by: it never jumps. */
  private elapsed = 0
  private timers: Array<{ at: number, fn: () => void }> = []

  readonly now = (): number => this.time

  readonly after = (ms: number, fn: () => void): (() => void) => {
    const timer = { at: this.elapsed + ms, fn }
    this.timers.push(timer)
    return () => { this.timers = this.timers.filter(other => other !== timer) }
  }

  /** When the next timer is due, in milliseconds from now. */
  get nextIn (): number | undefined {
    return this.timers.length === 0 ? undefined : Math.max(0, Math.min(...this.timers.map(({ at }) => at)) - this.elapsed)
  }

  advance (ms: number): void {
    const until = this.elapsed + ms
    for (;;) {
      const next = this.timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.timers = this.timers.filter(timer => timer !== next)
      this.time += Math.max(0, next.at - this.elapsed)
      this.elapsed = Math.max(this.elapsed, next.at)
      next.fn()
    }
    this.time += until - this.elapsed
    this.elapsed = until
  }

  /** Somebody sets the clock. */
  jump (ms: number): void {
    this.time += ms
  }
}
