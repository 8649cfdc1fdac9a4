import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import cors from '@fastify/cors'
import fp from 'fastify-plugin'
import helmet, { type HelmetOptions } from 'helmet'
import { type Config, allowedOrigins } from '../src/config.ts'

const exposedHeaders = ['ETag', 'Retry-After', 'Location', 'Tus-Resumable', 'Upload-Offset', 'Upload-Length']

const options: HelmetOptions = {
  contentSecurityPolicy: {
    directives: {
      // Developers may open these pages over plain HTTP on their own machine.
      upgradeInsecureRequests: null,
      connectSrc: ["'self'", 'ws:', 'wss:']
    }
  },
  crossOriginResourcePolicy: { policy: 'cross-origin' }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Headers of a response to a request that no hook has seen. @param origin the request's origin */
    ownHeaders: (origin: string | undefined) => Record<string, string>
  }
}

/** Headers that protect browsers, and the origins that may call REST. Socket.IO checks origins itself. */
export default fp(async function security (app, config: Config) {
  const headers = helmetHeaders()
  const allowed = allowedOrigins(config)
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
  app.decorate('ownHeaders', origin => ({ ...headers, ...corsHeaders(allowed, origin) }))
  await app.register(cors, {
    origin: allowed, methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], exposedHeaders
  })
}, { name: 'security' })

/** The headers that @fastify/cors would send. */
function corsHeaders (allowed: '*' | string[], origin: string | undefined): Record<string, string> {
  const exposed = { 'access-control-expose-headers': exposedHeaders.join(', ') }
  if (allowed === '*') return { 'access-control-allow-origin': '*', ...exposed }
  if (origin === undefined || !allowed.includes(origin)) return { vary: 'Origin' }
  return { 'access-control-allow-origin': origin, ...exposed, vary: 'Origin' }
}

/** The headers that helmet sends. They never change, so they are computed once and not for each request. */
function helmetHeaders (): Record<string, string> {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  helmet(options)(request, response, () => {})
  return response.getHeaders() as Record<string, string>
}
