/**
 * Counts values by size, in plain numbers: `observe` costs a few comparisons. Whoever wants to show them reads the
 * fields.
 */
export class Histogram {
  /** Upper bounds of the buckets, ascending; values above the last one have a bucket of their own. */
  readonly bounds: readonly number[]
  /** Values in each bucket, and above the last bound. */
  readonly counts: number[]
  count = 0
  sum = 0

  constructor (bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array<number>(bounds.length + 1).fill(0)
  }

  observe (value: number): void {
    const { bounds } = this
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++
    this.counts[bucket]!++
    this.count++
    this.sum += value
  }
}
