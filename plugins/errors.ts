import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { TidelogError, failureBody } from '../src/errors.ts'
import { toTidelogError } from '../src/to-tidelog-error.ts'

/** Turns whatever is thrown into a failure body of the one error table; nothing of a driver's text or stack leaves. */
export default fp(async function errors (app) {
  app.setErrorHandler((error, request, reply) => {
    const failure = toTidelogError(error as FastifyError)
    if (failure.status >= 500) request.log.error({ err: error }, 'request failed')
    if (failure.retryAfterMs !== undefined) reply.header('retry-after', Math.max(1, Math.ceil(failure.retryAfterMs / 1_000)))
    return reply.code(failure.status).send(failureBody(failure))
  })
  app.setNotFoundHandler((request, reply) => reply.code(404).send(failureBody(new TidelogError('NOT_FOUND', `There is no ${request.method} ${request.url.split('?')[0] ?? ''}`))))
}, { name: 'errors' })

/** Fastify's `frameworkErrors`: what its router refuses (no address, too long a part of one) reaches no error handler. */
export function replyMalformedUrl (error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const failure = toTidelogError(error).status < 500 ? new TidelogError('VALIDATION', 'The address is malformed') : new TidelogError('INTERNAL')
  void reply.code(failure.status).send(failureBody(failure))
}
