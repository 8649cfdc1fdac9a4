import type { Metric, Registry } from 'prom-client'
import type { Histogram } from '../lib/histogram.ts'

/**
 * Metrics that are read at each scrape. The server counts in plain numbers: a counter of prom-client would look up its
 * labels for every message.
 */

interface Sample {
  value: number
  labels: Record<string, string | number>
  metricName?: string
}

type Reads = () => number | Readonly<Record<string, number>>

/** @param label the name of the label, if `read` returns a value for each of its values */
export function counter (registry: Registry, name: string, help: string, read: Reads, label = ''): void {
  register(registry, { name, help, type: 'counter' }, () => samplesOf(read(), label))
}

/** @param label the name of the label, if `read` returns a value for each of its values */
export function gauge (registry: Registry, name: string, help: string, read: Reads, label = ''): void {
  register(registry, { name, help, type: 'gauge' }, () => samplesOf(read(), label))
}

export function histogram (registry: Registry, name: string, help: string, values: Histogram): void {
  register(registry, { name, help, type: 'histogram' }, () => {
    const { bounds, counts, count, sum } = values
    let below = 0
    const buckets = bounds.map((bound, index): Sample => {
      below += counts[index]!
      return { metricName: `${name}_bucket`, labels: { le: bound }, value: below }
    })
    return [
      ...buckets,
      { metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: count },
      { metricName: `${name}_sum`, labels: {}, value: sum },
      { metricName: `${name}_count`, labels: {}, value: count }
    ]
  })
}

function samplesOf (read: number | Readonly<Record<string, number>>, label: string): Sample[] {
  if (typeof read === 'number') return [{ value: read, labels: {} }]
  return Object.entries(read).map(([name, value]) => ({ value, labels: { [label]: name } }))
}

function register (
  registry: Registry, about: { name: string, help: string, type: string }, read: () => Sample[]
): void {
  // What the registry asks of a metric; prom-client's own classes keep their values themselves.
  const metric = { ...about, get: async () => ({ ...about, aggregator: 'sum', values: read() }) }
  registry.registerMetric(metric as unknown as Metric)
}
