import type { ErrorCode, Failure, Message } from './types.ts'

/** Failures of this package; the server's come as they are. */
const own: Partial<Record<ErrorCode, { text: string, retryable: boolean }>> = {
  OFFLINE: { text: 'There is no connection to the server', retryable: true },
  TIMEOUT: { text: 'The server did not answer in time', retryable: true },
  BAD_ANSWER: { text: 'What answered is not the server', retryable: true },
  ABORTED: { text: 'The call was aborted', retryable: false },
  STORAGE: { text: 'This device could not store it', retryable: true },
  NO_SESSION: { text: 'Nobody is signed in', retryable: false }
}

/** What every call of this package rejects with. */
export class TidelogError extends Error implements Failure {
  readonly code: Failure['code']
  readonly status: number
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly current: Message | undefined

  constructor (failure: Partial<Failure> & { code: Failure['code'], cause?: unknown }) {
    const known = own[failure.code as ErrorCode]
    super(failure.message ?? known?.text ?? failure.code, failure.cause === undefined ? undefined : { cause: failure.cause })
    this.name = 'TidelogError'
    this.code = failure.code
    this.status = failure.status ?? 0
    this.retryable = failure.retryable ?? known?.retryable ?? false
    this.retryAfterMs = failure.retryAfterMs
    this.current = failure.current
  }
}

/** Whatever was thrown, as a failure that can be stored. */
export function toFailure (error: unknown): Failure {
  const { code, message, status, retryable, retryAfterMs, current } = asTidelogError(error)
  return { code, message, status, retryable, retryAfterMs, current }
}

export function asTidelogError (error: unknown): TidelogError {
  if (error instanceof TidelogError) return error
  return new TidelogError({ code: 'INTERNAL', message: error instanceof Error ? error.message : String(error), cause: error })
}

/** Code that is loaded when it is used. @throws TidelogError OFFLINE if it does not come; the next try may bring it */
export async function loaded<T> (loading: Promise<T>): Promise<T> {
  return await loading.catch((cause: unknown) => { throw new TidelogError({ code: 'OFFLINE', cause }) })
}
