import type { Comparison, Pace } from './compare.ts'

/** The surroundings of a benchmark. */
export interface Setting {
  /** A temporary folder of this benchmark, removed after the run. */
  folder: string
  pace: Pace
  /** Smaller data and shorter rounds, for a quick look without a reliable result. */
  quick: boolean
  /** The folder for CPU profiles of the product. Undefined: no profiles. */
  profileDir: string | undefined
}

/** A file of bench/. It yields each result as soon as it is ready. */
export type Benchmark = (setting: Setting) => AsyncGenerator<Comparison>

/** Adds a target to a comparison, and whether this run met it. */
export function held (comparison: Comparison, text: string, met: (comparison: Comparison) => boolean): Comparison {
  return { ...comparison, target: { text, met: met(comparison) } }
}
