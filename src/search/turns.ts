import { TidelogError } from '../errors.ts'

/** Lets a bounded number of jobs run at the same time; the others wait for their turn. */
export class Turns {
  private readonly atOnce: number
  private readonly waitingMax: number
  private readonly waiting: Array<() => void> = []
  private running = 0

  constructor ({ atOnce, waitingMax }: { atOnce: number, waitingMax: number }) {
    this.atOnce = atOnce
    this.waitingMax = waitingMax
  }

  /** @throws TidelogError OVERLOADED if too many wait */
  async run<T> (work: () => Promise<T>): Promise<T> {
    if (this.running < this.atOnce) this.running++
    else {
      if (this.waiting.length >= this.waitingMax) {
        throw new TidelogError(
          'OVERLOADED', undefined, { retryAfterMs: 1_000 }
        )
      }
      // Whoever ends hands its place over.
      await new Promise<void>(resolve => { this.waiting.push(resolve) })
    }
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      if (next === undefined) this.running--
      else next()
    }
  }
}
