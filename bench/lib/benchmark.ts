import type { Comparison, Pace } from './compare.ts'

/** What a benchmark works with. */
export interface Setting {
  /** Temporary, its own, removed after the run. */
  folder: string
  pace: Pace
  /** Smaller data, shorter rounds: a look, not a result. */
  quick: boolean
  /** Where CPU profiles of the product go; undefined: none are made. */
  profileDir: string | undefined
}

/** A file of bench/: its results go out one by one, as they are ready. */
export type Benchmark = (setting: Setting) => AsyncGenerator<Comparison>

/** The comparison with what the product is held to. */
export function held (comparison: Comparison, text: string, met: (comparison: Comparison) => boolean): Comparison {
  return { ...comparison, target: { text, met: met(comparison) } }
}
