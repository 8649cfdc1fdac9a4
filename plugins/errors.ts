import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { TidelogError, failureBody, tooLargeText } from '../src/errors.ts'
import { toTidelogError } from '../src/to-tidelog-error.ts'

/** Turns every thrown error into a failure body from the error table. Clients never see a driver's text or a stack. */
export default fp(async function errors (app) {
  app.setErrorHandler((error, request, reply) => {
    const isTooLarge = (error as FastifyError).code === 'FST_ERR_CTP_BODY_TOO_LARGE'
    const failure = isTooLarge
      ? new TidelogError('TOO_LARGE', tooLargeText(request.routeOptions.bodyLimit))
      : toTidelogError(error as FastifyError)
    const userId = (request as { identity?: { userId: string } | null }).identity?.userId
    if (failure.status >= 500) request.log.error({ err: error, userId }, 'request failed')
    if (failure.retryAfterMs !== undefined) {
      reply.header('retry-after', Math.max(1, Math.ceil(failure.retryAfterMs / 1_000)))
    }
    return reply.code(failure.status).send(failureBody(failure))
  })
  app.setNotFoundHandler(({ method, url }, reply) => {
    const error = new TidelogError('NOT_FOUND', `There is no ${method} ${url.split('?')[0] ?? ''}`)
    return reply.code(404).send(failureBody(error))
  })
}, { name: 'errors' })

/**
 * Fastify's `frameworkErrors`: if the router refuses an address (malformed, or with a part that is too long), no error
 * handler runs.
 */
export function replyMalformedUrl (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const failure =
    toTidelogError(error).status < 500
      ? new TidelogError('VALIDATION', 'The address is malformed')
      : new TidelogError('INTERNAL')
  void reply.headers(reply.server.ownHeaders(request.headers.origin)).code(failure.status).send(failureBody(failure))
}

/** Fastify's `clientErrorHandler`: if Node's parser refuses a request or times out, no hook runs. */
export function refuseBroken (this: FastifyInstance, error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const { status, failure } = brokenRequests.get(error.code) ?? brokenRequests.get('')!
  // A second response cannot follow one that has started.
  if (socket.writable && (socket as { _httpMessage?: ServerResponse | null })._httpMessage?.headersSent !== true) {
    const body = JSON.stringify(failureBody(failure))
    const headers = {
      ...this.ownHeaders(originIn(error.rawPacket as unknown as Buffer | undefined)),
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      connection: 'close'
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n${body}`)
  }
  this.log.debug({ code: error.code }, 'broken request refused')
  socket.destroySoon()
}

/** Errors by Node's code; '' is the default. */
const brokenRequests = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', { status: 408, failure: new TidelogError('TIMEOUT') }],
  ['HPE_HEADER_OVERFLOW', { status: 431, failure: new TidelogError('TOO_LARGE', 'The headers are too large') }],
  ['', { status: 400, failure: new TidelogError('VALIDATION', 'The request is malformed') }]
])

/** The origin of a request that could not be parsed. */
function originIn (packet: Buffer | undefined): string | undefined {
  return packet === undefined ? undefined : /\r\norigin:[ \t]*([^\r\n]+)/i.exec(packet.toString('latin1'))?.[1]?.trim()
}
