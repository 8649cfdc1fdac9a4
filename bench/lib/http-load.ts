import autocannon, { type Request } from 'autocannon'
import type { Latency } from './statistics.ts'

export type { Request }

const connections = 50
/** Requests that one connection repeats. Those of all connections together cover the whole list. */
const requestsMax = 400

/**
 * Counts the requests that 50 connections get answered in `seconds`. Each connection begins `requests` at another
 * place, so that no two send the same request at the same time. The caller has checked each response once before.
 * @param status the status that every response must have
 */
export async function httpLoad (url: string, requests: readonly Request[], seconds: number, status = 200): Promise<{ operations: number, seconds: number, latency: Latency }> {
  let client = 0
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    sampleInt: 100,
    setupClient: one => {
      const from = Math.floor(client++ * requests.length / connections)
      // Copies, because autocannon caches a built buffer in each request.
      one.setRequests([...requests.slice(from), ...requests.slice(0, from)].slice(0, requestsMax).map(request => ({ ...request })))
    }
  })
  const { errors, timeouts, statusCodeStats, latency, requests: { total } } = result
  if (errors > 0 || timeouts > 0 || Object.keys(statusCodeStats).some(code => code !== String(status))) {
    throw new Error(`${requests[0]?.path ?? ''}: ${errors} errors, ${timeouts} timeouts, statuses ${JSON.stringify(statusCodeStats)}`)
  }
  if (total === 0) throw new Error(`${requests[0]?.path ?? ''}: no answer in ${seconds} s`)
  return { operations: total, seconds: result.duration, latency: { p50: latency.p50, p99: latency.p99, max: latency.max } }
}

/** Sends a request once, outside of a measurement. */
export async function ask<T = Record<string, unknown>> (url: string, { method, path, headers, body }: Request): Promise<T> {
  const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) })
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
  return await response.json() as T
}

export function post (token: string, path: string, body: unknown): Request {
  return { method: 'POST', path, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

export function get (token: string, path: string, headers: Record<string, string> = {}): Request {
  return { method: 'GET', path, headers: { authorization: `Bearer ${token}`, ...headers } }
}
