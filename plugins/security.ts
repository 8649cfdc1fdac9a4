import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import fp from 'fastify-plugin'
import { type Config, allowedOrigins } from '../src/config.ts'

/** Headers that protect browsers, and the origins that may call REST; Socket.IO checks origins by itself. */
export default fp(async function security (app, config: Config) {
  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: {
        // The pages served here may be opened over plain HTTP on a developer's machine.
        upgradeInsecureRequests: null,
        connectSrc: ["'self'", 'ws:', 'wss:']
      }
    },
    crossOriginResourcePolicy: { policy: 'cross-origin' }
  })
  await app.register(cors, { origin: allowedOrigins(config), methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], exposedHeaders: ['ETag', 'Retry-After'] })
}, { name: 'security' })
