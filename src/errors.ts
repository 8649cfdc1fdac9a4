/**
 * Every failure that a client can see: its code, HTTP status, text, and whether a retry can help.
 * REST bodies, socket acknowledgements, `error` events and push results are all made from this table.
 */
export const errorTable = {
  VALIDATION: { status: 400, retryable: false, text: 'The request is not valid' },
  BAD_CURSOR: { status: 400, retryable: false, text: 'The cursor is malformed or belongs to another user' },
  NO_TOKEN: { status: 401, retryable: false, text: 'Authentication error: No token provided' },
  INVALID_TOKEN: { status: 401, retryable: false, text: 'Authentication error: Invalid token' },
  UNKNOWN_USER: { status: 401, retryable: false, text: 'Authentication error: User not found' },
  INVALID_CREDENTIALS: { status: 401, retryable: false, text: 'The user name, e-mail or password is wrong' },
  INVALID_REFRESH_TOKEN: { status: 401, retryable: false, text: 'The refresh token is unknown, expired or revoked' },
  NOT_ALLOWED: { status: 403, retryable: false, text: 'You may not do this' },
  READ_ONLY: { status: 403, retryable: false, text: 'Only the owner and moderators may send messages to this room' },
  NOT_FOUND: { status: 404, retryable: false, text: 'Not found' },
  USER_NOT_FOUND: { status: 404, retryable: false, text: 'User not found' },
  TIMEOUT: { status: 408, retryable: true, text: 'The request did not arrive in time' },
  USERNAME_TAKEN: { status: 409, retryable: false, text: 'This user name is taken' },
  EMAIL_TAKEN: { status: 409, retryable: false, text: 'This e-mail address is already registered' },
  IDEMPOTENCY_MISMATCH: { status: 409, retryable: false, text: 'This clientMessageId was used for another message' },
  CONFLICT: { status: 409, retryable: false, text: 'The message has been changed in the meantime' },
  PREVIOUS_FAILED: { status: 409, retryable: true, text: 'Not tried: an earlier operation on the same message failed' },
  TOO_LARGE: { status: 413, retryable: false, text: 'The request is too large' },
  QUOTA_EXCEEDED: { status: 413, retryable: false, text: 'Your files have used up the space that you have' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false, text: 'Send JSON (Content-Type: application/json)' },
  LOCKED: { status: 423, retryable: true, text: 'Another request is still writing to this upload' },
  RATE_LIMITED: { status: 429, retryable: true, text: 'Too many requests' },
  SLOW_MODE: { status: 429, retryable: true, text: 'The room is in slow mode: wait before you send again' },
  INTERNAL: { status: 500, retryable: true, text: 'Something went wrong on the server' },
  OVERLOADED: { status: 503, retryable: true, text: 'The server is overloaded' },
  UNAVAILABLE: { status: 503, retryable: true, text: 'The database is not available' },
  STORAGE_FULL: { status: 507, retryable: true, text: 'The server has no space left for files' }
} as const satisfies Record<string, { status: number, retryable: boolean, text: string }>

export type ErrorCode = keyof typeof errorTable

/** A failure meant for a client. Any other error reaches the client as `INTERNAL`, without its text. */
export class TidelogError extends Error {
  readonly code: ErrorCode
  /** Milliseconds after which a retry makes sense; only with retryable codes. */
  readonly retryAfterMs: number | undefined
  /** The stored state that caused a CONFLICT, as a payload. */
  readonly current: unknown

  constructor (
    code: ErrorCode, message?: string, detail: { retryAfterMs?: number, current?: unknown, cause?: unknown } = {}
  ) {
    super(message ?? errorTable[code].text, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'TidelogError'
    this.code = code
    this.retryAfterMs = detail.retryAfterMs
    this.current = detail.current
  }

  get status (): number {
    return errorTable[this.code].status
  }

  get retryable (): boolean {
    return errorTable[this.code].retryable
  }
}

/** The body of a failed REST call, and the argument of a failed acknowledgement. */
export interface Failure {
  success: false
  code: ErrorCode
  message: string
  retryable: boolean
  retryAfterMs?: number
  current?: unknown
}

export function failureBody (error: TidelogError): Failure {
  return {
    success: false,
    code: error.code,
    message: error.message,
    retryable: error.retryable,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.current === undefined ? {} : { current: error.current })
  }
}

/** The text of TOO_LARGE, with the limit in bytes and what the client can do. */
export function tooLargeText (bytesMax: number): string {
  return `The request is larger than ${bytesMax} bytes: send less at once, a push with fewer operations`
}
