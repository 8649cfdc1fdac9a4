import { setImmediate as drained } from 'node:timers/promises'

/** A small seeded generator (mulberry32): the whole of a history's luck comes from one number. */
export function randomOf (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6D2B79F5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Decides the order of everything that waits: each await of a fake call is a turn, and the next turn is drawn. Turns
 * of a crashed owner are never given.
 */
export class Schedule {
  readonly random: () => number
  private readonly waiting: Array<{ owner: string, go: () => void }> = []
  private readonly dead = new Set<string>()

  constructor (seed: number) {
    this.random = randomOf(seed)
  }

  /** True with a probability. */
  chance (probability: number): boolean {
    return probability > 0 && this.random() < probability
  }

  below (n: number): number {
    return Math.floor(this.random() * n)
  }

  turn (owner: string): Promise<void> {
    return new Promise(resolve => {
      if (!this.dead.has(owner)) this.waiting.push({ owner, go: resolve })
    })
  }

  /** Whatever this owner waits for never happens. */
  kill (owner: string): void {
    this.dead.add(owner)
    for (let i = this.waiting.length - 1; i >= 0; i--) if (this.waiting[i]!.owner === owner) this.waiting.splice(i, 1)
  }

  /** Gives turns until nothing waits. */
  async run (turnsMax = 50_000): Promise<void> {
    for (let turns = 0; ; turns++) {
      // Reads that travel together start a moment later than they were asked for.
      for (let moments = 0; moments < 4; moments++) if (moments === 0 || this.waiting.length === 0) await drained()
      if (this.waiting.length === 0) return
      if (turns === turnsMax) throw new Error('The history does not come to rest')
      const index = this.below(this.waiting.length)
      const [taken] = this.waiting.splice(index, 1)
      taken!.go()
    }
  }
}
