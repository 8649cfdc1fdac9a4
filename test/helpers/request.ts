import { setTimeout as delay } from 'node:timers/promises'

export interface Received {
  status: number
  headers: Headers
  text: string
}

/**
 * Asks as a client does that keeps to R3 of the protocol: what a busy server refused, before it did anything, is asked again when it says.
 * A test that judges such refusals uses `fetch`.
 */
export async function request (url: string, init: RequestInit = {}): Promise<Received> {
  for (;;) {
    const { status, headers, body } = await fetch(url, init).then(async response => ({ status: response.status, headers: response.headers, body: await response.text() }))
    const waitMs = status === 503 ? overloadedFor(body) : undefined
    if (waitMs === undefined) return { status, headers, text: body }
    await delay(waitMs)
  }
}

/** Milliseconds to wait, where this is the refusal of a server that has too much to do. */
function overloadedFor (text: string): number | undefined {
  const { code, retryAfterMs = 1_000 } = JSON.parse(text) as { code?: string, retryAfterMs?: number }
  return code === 'OVERLOADED' ? retryAfterMs : undefined
}
