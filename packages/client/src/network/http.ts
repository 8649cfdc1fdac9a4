import { TidelogError } from '../errors.ts'
import { toRow } from '../pure/normalize.ts'
import type { WireMessage } from '../pure/wire.ts'
import { showRow } from '../pure/view.ts'
import type { Clock } from '../types.ts'

export interface HttpOptions {
  url: string
  fetch: typeof globalThis.fetch
  clock: Clock
  /** Null: nobody is signed in. */
  token: () => Promise<string>
  /** The server refused this token: another one. @throws TidelogError */
  renew: (refused: string) => Promise<string>
}

export interface Request {
  body?: unknown
  /** Sent as they are, instead of a body of JSON. */
  bytes?: Blob
  headers?: Record<string, string>
  query?: Record<string, string | number | undefined>
  signal?: AbortSignal | undefined
  timeoutMs?: number
  /** False: without a token. */
  withToken?: boolean
}

type Read<T> = (response: Response, text: string) => T

const timeoutMs = 20_000

/** REST calls: every failure is a `TidelogError`, and a refused token is renewed once. */
export class Http {
  private readonly options: HttpOptions
  /** Of this page's life; for `inspect`. */
  requests = 0

  constructor (options: HttpOptions) {
    this.options = options
  }

  /** Of the server, without a path. */
  get url (): string {
    return this.options.url
  }

  /** @param read takes the answer; without one it is a body of JSON */
  async call<T> (method: string, path: string, request: Request = {}, read: Read<T> = readAnswer): Promise<T> {
    if (request.withToken === false) return await this.once(method, path, request, read, undefined)
    const token = await this.options.token()
    try {
      return await this.once(method, path, request, read, token)
    } catch (error) {
      if (!(error instanceof TidelogError) || error.status !== 401) throw error
      return await this.once(method, path, request, read, await this.options.renew(token))
    }
  }

  private async once<T> (
    method: string, path: string, request: Request, read: Read<T>, token: string | undefined
  ): Promise<T> {
    const { body, bytes, headers, query = {}, signal } = request
    if (isAborted(signal)) throw new TidelogError({ code: 'ABORTED' })
    const ended = new AbortController()
    let isLate = false
    const cancel = this.options.clock.after(request.timeoutMs ?? timeoutMs, () => {
      isLate = true
      ended.abort()
    })
    const abort = () => { ended.abort() }
    signal?.addEventListener('abort', abort)
    // Not every fetch hears of it, or at every moment.
    const isEnded = new Promise<never>((_resolve, reject) => { ended.signal.addEventListener('abort', reject) })
    this.requests++
    try {
      const response = await Promise.race([isEnded, this.options.fetch(this.options.url + path + queryOf(query), {
        method,
        signal: ended.signal,
        // A page of a hotel's network.
        redirect: 'error',
        headers: {
          accept: 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers
        },
        body: bytes ?? (body === undefined ? null : JSON.stringify(body))
      })])
      return read(response, await Promise.race([isEnded, response.text()]))
    } catch (error) {
      if (error instanceof TidelogError) throw error
      throw new TidelogError({ code: isLate ? 'TIMEOUT' : isAborted(signal) ? 'ABORTED' : 'OFFLINE', cause: error })
    } finally {
      cancel()
      signal?.removeEventListener('abort', abort)
    }
  }
}

function isAborted (signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

function queryOf (query: Record<string, string | number | undefined>): string {
  const given = Object.entries(query).flatMap(([name, value]) => value === undefined ? [] : [[name, String(value)] as const])
  return given.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(given)).toString()}`
}

interface FailureBody { success: false, code: string, message: string, retryable?: boolean, retryAfterMs?: number, current?: WireMessage }

/** The login page of a hotel's network is not an answer of the server. */
export function readAnswer<T> ({ status, headers }: Response, text: string): T {
  let body: { success?: unknown }
  try {
    body = JSON.parse(text) as { success?: unknown }
  } catch (cause) {
    // Something on the way answers for a server that is not there.
    throw new TidelogError({ code: status >= 500 ? 'UNAVAILABLE' : 'BAD_ANSWER', status, retryable: true, cause })
  }
  if (body.success === true) return body as T
  if (body.success !== false) throw new TidelogError({ code: 'BAD_ANSWER', status })
  throw failureOf(body as FailureBody, status, headers.get('retry-after'))
}

/** The failure of a REST body, an acknowledgement or a result. */
export function failureOf (body: FailureBody, status: number, retryAfter?: string | null): TidelogError {
  const { code, message, retryable, retryAfterMs, current } = body
  const seconds = Number(retryAfter ?? NaN)
  return new TidelogError({
    code,
    message,
    status,
    retryable: retryable ?? (status === 429 || status >= 500),
    retryAfterMs: retryAfterMs ?? (Number.isNaN(seconds) ? undefined : seconds * 1_000),
    current: current === undefined ? undefined : showRow(toRow(current), [], { userId: '', reads: {} })
  })
}
