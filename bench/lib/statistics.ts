/** The value at fraction `p` (0–1) of an ascending array, by nearest rank. NaN for an empty one. */
export function percentile (ascending: readonly number[] | Float64Array, p: number): number {
  if (ascending.length === 0) return NaN
  return ascending[Math.min(ascending.length - 1, Math.max(0, Math.ceil(p * ascending.length) - 1))]!
}

export function median (values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b)
  const middle = ascending.length >> 1
  return ascending.length % 2 === 1 ? ascending[middle]! : (ascending[middle - 1]! + ascending[middle]!) / 2
}

export interface Latency {
  /** Milliseconds. */
  p50: number
  p99: number
  max: number
}

export function latencyOf (millis: readonly number[]): Latency {
  const ascending = Float64Array.from(millis).sort()
  return { p50: percentile(ascending, 0.5), p99: percentile(ascending, 0.99), max: ascending.at(-1) ?? NaN }
}
