import type { FastifyError } from 'fastify'
import { MongoError } from 'mongodb'
import { type ErrorCode, TidelogError } from './errors.ts'
import { isBrokenConnection } from './lib/broken-connection.ts'

/** Maps any error of Fastify, the driver or the code to a failure for the client. */
export function toTidelogError (error: FastifyError | Error): TidelogError {
  if (error instanceof TidelogError) return error
  if (error instanceof MongoError || isBrokenConnection(error)) {
    return new TidelogError('UNAVAILABLE', undefined, { cause: error, retryAfterMs: 1_000 })
  }
  const { validation, statusCode = 500 } = error as FastifyError
  if (validation !== undefined) return new TidelogError('VALIDATION', error.message)
  const code = codeByStatus.get(statusCode)
  if (code === undefined) {
    return new TidelogError(
      statusCode >= 400 && statusCode < 500 ? 'VALIDATION' : 'INTERNAL',
      statusCode < 500 ? error.message : undefined,
      { cause: error }
    )
  }
  return new TidelogError(code, statusCode < 500 ? error.message : undefined, { cause: error })
}

/** The code for the status of an error that Fastify or a plugin throws. */
const codeByStatus = new Map<number, ErrorCode>([
  [400, 'VALIDATION'], [401, 'INVALID_TOKEN'], [403, 'NOT_ALLOWED'], [404, 'NOT_FOUND'], [413, 'TOO_LARGE'],
  [415, 'UNSUPPORTED_MEDIA_TYPE'], [429, 'RATE_LIMITED'], [503, 'OVERLOADED']
] satisfies Array<[number, ErrorCode]>)
