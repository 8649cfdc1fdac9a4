import { setTimeout as delay } from 'node:timers/promises'

export interface Received {
  status: number
  headers: Headers
  text: string
}

export interface Answer extends Received {
  // A test checks the form of a body itself.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any
}

export interface CallOptions {
  token?: string | undefined
  /** Sent as JSON. */
  body?: unknown
  headers?: Record<string, string>
}

/** Calls the API of a server, as `request` does. */
export async function call (
  { url }: { url: string }, method: string, path: string, { token, body, headers = {} }: CallOptions = {}
): Promise<Answer> {
  const received = await request(url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  return { ...received, body: received.text === '' ? undefined : JSON.parse(received.text) }
}

/**
 * Sends a request as a client that follows rule R3 of the protocol: if a busy server refused it unprocessed, it repeats
 * the request after the time that the server names. A test of such refusals uses `fetch`.
 */
export async function request (url: string, init: RequestInit = {}): Promise<Received> {
  for (;;) {
    const { status, headers, body } = await fetch(url, init).then(async response => ({ status: response.status, headers: response.headers, body: await response.text() }))
    const waitMs = status === 503 ? overloadedFor(body) : undefined
    if (waitMs === undefined) return { status, headers, text: body }
    await delay(waitMs)
  }
}

/** The milliseconds to wait, if this is a refusal of an overloaded server. */
function overloadedFor (text: string): number | undefined {
  const { code, retryAfterMs = 1_000 } = JSON.parse(text) as { code?: string, retryAfterMs?: number }
  return code === 'OVERLOADED' ? retryAfterMs : undefined
}
