import { slowMs } from './checks/polls.ts'
import type { History } from './history.ts'
import { leakIn } from './leaks.ts'

export interface Answer {
  status: number
  code: string
  retryAfterMs: number
  // A body of any form: each attack reads the fields that it needs.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any
}

const answerMsMax = 30_000
/** Paths that return only the caller's data. */
const ofOneself = new Set(['/api/auth/me', '/api/users/me', '/api/users/me/avatar'])

interface Sent {
  token?: string
  headers?: Record<string, string>
  body?: string
  signal?: AbortSignal
}

interface Exchanged {
  status: number
  headers: Headers
  text: string
}

/**
 * REST calls to one node. `undefined` means no answer (a broken connection, a gateway's error): the outcome is unknown.
 */
export class Rest {
  readonly url: string
  private readonly history: History

  constructor (url: string, history: History) {
    this.url = url
    this.history = history
  }

  /** An unparsed answer. Undefined: there was none. */
  async exchange (method: string, path: string, { token, headers = {}, body, signal }: Sent = {}): Promise<Exchanged | undefined> {
    const from = Date.now()
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
        ...(body === undefined ? {} : { body }),
        signal: signal ?? AbortSignal.timeout(answerMsMax)
      })
      const text = await response.text()
      const leak = leakIn(text, ofOneself.has(path))
      if (leak !== undefined && !path.startsWith('/documentation')) this.history.leaks.push(`${method} ${path} tells ${leak}`)
      const to = Date.now()
      if (to - from > slowMs && path !== '/api/sync') this.history.slowCalls.push({ from, to })
      return { status: response.status, headers: response.headers, text }
    } catch {
      return undefined
    }
  }

  /** @param sent what to send instead of a JSON body */
  async call (method: string, path: string, token: string | undefined, body?: unknown, sent: Sent = {}): Promise<Answer | undefined> {
    const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const answer = await this.exchange(method, path, { ...(token === undefined ? {} : { token }), ...json, ...sent })
    if (answer === undefined || answer.status === 502 || answer.status === 504) return undefined
    const { status, headers, text } = answer
    const parsed = parse(text)
    const { code = '', retryAfterMs } = (parsed ?? {}) as { code?: unknown, retryAfterMs?: unknown }
    if (status === 500 || status === 501) this.fault(`${method} ${path} was answered ${status}: ${text.slice(0, 200)}`)
    if (status < 500 && (parsed === null || typeof parsed !== 'object') && status !== 204) this.fault(`${method} ${path} was answered ${status} with a body that is no JSON object`)
    const seconds = Number(headers.get('retry-after'))
    return {
      status,
      code: String(code),
      retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : Number.isFinite(seconds) ? seconds * 1_000 : 0,
      body: parsed ?? {}
    }
  }

  fault (what: string): void {
    this.history.faults.push({ at: Date.now(), what })
  }
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Is the same call worth another attempt? */
export function isTransient (answer: Answer | undefined): boolean {
  return answer === undefined || answer.status === 429 || answer.status >= 500
}
