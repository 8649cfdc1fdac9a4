import cors from '@fastify/cors'
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import { type Config, allowedOrigins } from '../src/config.ts'

const options: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    directives: {
      // The pages served here may be opened over plain HTTP on a developer's machine.
      upgradeInsecureRequests: null,
      connectSrc: ["'self'", 'ws:', 'wss:']
    }
  },
  crossOriginResourcePolicy: { policy: 'cross-origin' }
}

/** Headers that protect browsers, and the origins that may call REST; Socket.IO checks origins by itself. */
export default fp(async function security (app, config: Config) {
  const headers = await helmetHeaders()
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
  await app.register(cors, { origin: allowedOrigins(config), methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], exposedHeaders: ['ETag', 'Retry-After'] })
}, { name: 'security' })

/** What helmet answers with: the same each time, and it works all of it out for each request. */
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
