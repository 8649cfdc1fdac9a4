import type { History } from './history.ts'

export interface Answer {
  status: number
  code: string
  retryAfterMs: number
  // An answer of whatever form: the attacks look at what they need.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any
}

const answerMsMax = 30_000

/** REST calls to one node. What is no answer (a broken connection, a gateway's error) is `undefined`: it may have happened or not. */
export class Rest {
  readonly url: string
  private readonly history: History

  constructor (url: string, history: History) {
    this.url = url
    this.history = history
  }

  async call (method: string, path: string, token: string | undefined, body?: unknown): Promise<Answer | undefined> {
    let response: Response
    let text: string
    try {
      response = await fetch(this.url + path, {
        method,
        headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(answerMsMax)
      })
      text = await response.text()
    } catch {
      return undefined
    }
    if (response.status === 502 || response.status === 504) return undefined
    const parsed = parse(text)
    const { code = '', retryAfterMs } = (parsed ?? {}) as { code?: unknown, retryAfterMs?: unknown }
    if (response.status === 500 || response.status === 501) this.fault(`${method} ${path} was answered ${response.status}: ${text.slice(0, 200)}`)
    if (response.status < 500 && (parsed === null || typeof parsed !== 'object') && response.status !== 204) this.fault(`${method} ${path} was answered ${response.status} with a body that is no JSON object`)
    const seconds = Number(response.headers.get('retry-after'))
    return {
      status: response.status,
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

/** Worth another try as it is. */
export function isTransient (answer: Answer | undefined): boolean {
  return answer === undefined || answer.status === 429 || answer.status >= 500
}
