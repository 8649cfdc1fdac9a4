import cors from '@fastify/cors'
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { type Config, allowedOrigins } from '../src/config.ts'

const exposedHeaders = ['ETag', 'Retry-After', 'Location', 'Tus-Resumable', 'Upload-Offset', 'Upload-Length']

const options: FastifyHelmetOptions = {
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
  const headers = await helmetHeaders()
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
  app.decorate('ownHeaders', origin => ({ ...headers, ...corsHeaders(config, origin) }))
  await app.register(cors, { origin: allowedOrigins(config), methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'], exposedHeaders })
}, { name: 'security' })

/** The headers that @fastify/cors would send. */
function corsHeaders (config: Config, origin: string | undefined): Record<string, string> {
  const allowed = allowedOrigins(config)
  if (allowed === '*') return { 'access-control-allow-origin': '*', 'access-control-expose-headers': exposedHeaders.join(', ') }
  if (origin === undefined || !allowed.includes(origin)) return { vary: 'Origin' }
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': exposedHeaders.join(', '), vary: 'Origin' }
}

/** The headers that helmet sends. They never change, but helmet computes them for each request. */
async function helmetHeaders (): Promise<Record<string, string>> {
  const answering = async (register: boolean) => {
    const app = Fastify()
    if (register) await app.register(helmet, options)
    app.get('/', async () => '')
    const { headers } = await app.inject('/')
    await app.close()
    return headers
  }
  const [plain, helmeted] = await Promise.all([answering(false), answering(true)])
  return Object.fromEntries(Object.entries(helmeted).filter((header): header is [string, string] => !(header[0] in plain) && typeof header[1] === 'string'))
}
