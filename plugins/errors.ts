import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { MongoError } from 'mongodb'
import { type ErrorCode, TidelogError, toFailure } from '../src/errors.ts'

/** Turns whatever is thrown into a failure body of the one error table; nothing of a driver's text or stack leaves. */
export default fp(async function errors (app) {
  app.setErrorHandler((error, request, reply) => {
    const failure = toTidelogError(error as FastifyError)
    if (failure.status >= 500) request.log.error({ err: error }, 'request failed')
    if (failure.retryAfterMs !== undefined) reply.header('retry-after', Math.max(1, Math.ceil(failure.retryAfterMs / 1_000)))
    return reply.code(failure.status).send(toFailure(failure))
  })
  app.setNotFoundHandler((request, reply) => reply.code(404).send(toFailure(new TidelogError('NOT_FOUND', `There is no ${request.method} ${request.url.split('?')[0] ?? ''}`))))
}, { name: 'errors' })

/** Fastify's `frameworkErrors`: what its router refuses (no address, too long a part of one) reaches no error handler. */
export function refuseAddress (error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const failure = toTidelogError(error).status < 500 ? new TidelogError('VALIDATION', 'The address is malformed') : new TidelogError('INTERNAL')
  void reply.code(failure.status).send(toFailure(failure))
}

/** The failure that stands for any error of Fastify, the driver or the code. */
export function toTidelogError (error: FastifyError | Error): TidelogError {
  if (error instanceof TidelogError) return error
  if (error instanceof MongoError) return new TidelogError('UNAVAILABLE', undefined, { cause: error, retryAfterMs: 1_000 })
  const { validation, statusCode = 500 } = error as FastifyError
  if (validation !== undefined) return new TidelogError('VALIDATION', error.message)
  const code = codeByStatus.get(statusCode)
  if (code === undefined) return new TidelogError(statusCode >= 400 && statusCode < 500 ? 'VALIDATION' : 'INTERNAL', statusCode < 500 ? error.message : undefined, { cause: error })
  return new TidelogError(code, statusCode < 500 ? error.message : undefined, { cause: error })
}

/** What Fastify and its plugins mean by a status, where they throw errors of their own. */
const codeByStatus = new Map<number, ErrorCode>([
  [400, 'VALIDATION'], [401, 'INVALID_TOKEN'], [403, 'NOT_ALLOWED'], [404, 'NOT_FOUND'], [413, 'TOO_LARGE'],
  [415, 'UNSUPPORTED_MEDIA_TYPE'], [429, 'RATE_LIMITED'], [503, 'OVERLOADED']
] satisfies Array<[number, ErrorCode]>)
