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

/** Does one thing after the other for so many seconds. @param act gets the number of the operation: 0, 1, 2 … */
export async function oneAtATime (
  seconds: number, act: (number: number) => Promise<unknown>, operationsMin = 1
): Promise<{ operations: number, seconds: number, latency: Latency }> {
  const millis: number[] = []
  const start = performance.now()
  while (millis.length < operationsMin || performance.now() - start < seconds * 1_000) {
    const sent = performance.now()
    await act(millis.length)
    millis.push(performance.now() - sent)
  }
  return { operations: millis.length, seconds: (performance.now() - start) / 1_000, latency: latencyOf(millis) }
}

export function latencyOf (millis: readonly number[]): Latency {
  const ascending = Float64Array.from(millis).sort()
  return { p50: percentile(ascending, 0.5), p99: percentile(ascending, 0.99), max: ascending.at(-1) ?? NaN }
}
