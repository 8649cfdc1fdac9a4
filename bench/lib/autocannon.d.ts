/** The part of autocannon that the benchmarks use. The package has no types of its own. */
declare module 'autocannon' {
  export interface Request {
    method: string
    path: string
    headers: Record<string, string>
    body?: string
  }

  export interface Options {
    url: string
    connections: number
    /** Seconds. */
    duration: number
    /** Milliseconds between two samples. */
    sampleInt: number
    setupClient: (client: { setRequests: (requests: Request[]) => void }) => void
  }

  export interface Result {
    /** Seconds. */
    duration: number
    errors: number
    timeouts: number
    non2xx: number
    statusCodeStats: Record<string, { count: number }>
    requests: { total: number }
    /** Milliseconds. */
    latency: { p50: number, p99: number, max: number }
    throughput: { total: number }
  }

  function autocannon (options: Options): Promise<Result>
  export default autocannon
}
