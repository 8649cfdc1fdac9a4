import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import accounts from './plugins/accounts.ts'
import addresses from './plugins/addresses.ts'
import chat from './plugins/chat.ts'
import compression from './plugins/compression.ts'
import documentation from './plugins/documentation.ts'
import drain from './plugins/drain.ts'
import erasure from './plugins/erasure.ts'
import errors, { replyMalformedUrl, refuseBroken } from './plugins/errors.ts'
import files from './plugins/files.ts'
import health from './plugins/health.ts'
import jwt from './plugins/jwt.ts'
import metrics from './plugins/metrics.ts'
import mongodb from './plugins/mongodb.ts'
import nodes from './plugins/nodes.ts'
import rateLimit from './plugins/rate-limit.ts'
import requestLog from './plugins/request-log.ts'
import retention from './plugins/retention.ts'
import revocations from './plugins/revocations.ts'
import search from './plugins/search.ts'
import security from './plugins/security.ts'
import serialization from './plugins/serialization.ts'
import socketIo from './plugins/socket-io.ts'
import sharedLimits from './plugins/shared-limits.ts'
import sockets from './plugins/sockets.ts'
import sync from './plugins/sync.ts'
import tracing from './plugins/tracing.ts'
import validation from './plugins/validation.ts'
import webApp from './plugins/web-app.ts'
import adminRoutes from './routes/api/admin/index.ts'
import authRoutes from './routes/api/auth/index.ts'
import avatarRoutes from './routes/api/avatars/index.ts'
import commonChatRoutes from './routes/api/common-chat/index.ts'
import conversationRoutes from './routes/api/conversations/index.ts'
import fileRoutes from './routes/api/files/index.ts'
import messageRoutes from './routes/api/messages/index.ts'
import roomRoutes from './routes/api/rooms/index.ts'
import syncRoutes from './routes/api/sync/index.ts'
import pushRoutes from './routes/api/sync/push.ts'
import userRoutes from './routes/api/users/index.ts'
import { type Config, trustedProxies } from './src/config.ts'
import { newNodeId } from './src/lib/node-id.ts'
import type { Link } from './src/nodes/link.ts'
import { unknownVariables } from './src/unknown-variables.ts'

/**
 * Builds the whole product, ready to listen. The server and every test use this function.
 * `options` are Fastify's own (a logger, for example); `link` replaces the one to REDIS_URL; `nodeId` names this node.
 * Closing the app closes its sockets, commits and database.
 */
export async function buildApp (
  config: Config, options: FastifyServerOptions = {},
  { link, nodeId = newNodeId() }: { link?: Link | undefined, nodeId?: string } = {}
): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: config.REQUEST_BYTES_MAX,
    trustProxy: trustedProxies(config) ?? false,
    forceCloseConnections: 'idle',
    pluginTimeout: 0, // No limit: a large database, or a slow machine, takes long to open.
    frameworkErrors: replyMalformedUrl,
    clientErrorHandler: refuseBroken,
    requestTimeout: config.REQUEST_TIMEOUT * 1_000,
    http: {
      headersTimeout: config.REQUEST_TIMEOUT * 1_000,
      // Node checks for requests that take too long only this often, in milliseconds.
      connectionsCheckingInterval: Math.min(5_000, Math.max(100, config.REQUEST_TIMEOUT * 250))
    },
    logController: new LogController({ disableRequestLogging: true }), // plugins/request-log.ts does it.
    ...options
  }).withTypeProvider<TypeBoxTypeProvider>()

  // Logged before anything that depends on these variables can fail.
  for (const { name, advice } of unknownVariables(process.env)) {
    app.log.warn({ variable: name }, `${name} is not used: ${advice}`)
  }

  await app.register(requestLog)
  await app.register(validation)
  await app.register(serialization)
  await app.register(errors)
  await app.register(security, config)
  await app.register(compression)
  await app.register(documentation)
  await app.register(addresses, config)
  await app.register(rateLimit, config)
  await app.register(mongodb, config)
  await app.register(files, { ...config, nodeId })
  await app.register(chat, { ...config, nodeId })
  await app.register(tracing)
  await app.register(search, config)
  await app.register(nodes, { REDIS_URL: config.REDIS_URL, link, nodeId })
  await app.register(sharedLimits)
  await app.register(drain, config)
  await app.register(health)
  await app.register(sync)
  await app.register(jwt, config)
  await app.register(accounts, config)
  await app.register(erasure)
  await app.register(socketIo, config)
  await app.register(sockets, config)
  await app.register(revocations)
  await app.register(retention, config)
  await app.register(metrics, config)
  await app.register(webApp, config)

  await app.register(authRoutes, { prefix: '/api/auth', ...config })
  await app.register(userRoutes, { prefix: '/api/users' })
  await app.register(adminRoutes, { prefix: '/api/admin' })
  await app.register(messageRoutes, { prefix: '/api/messages' })
  await app.register(conversationRoutes, { prefix: '/api/conversations' })
  await app.register(commonChatRoutes, { prefix: '/api/common-chat' })
  await app.register(fileRoutes, { prefix: '/api/files', ...config })
  await app.register(avatarRoutes, { prefix: '/api/avatars' })
  await app.register(roomRoutes, { prefix: '/api/rooms' })
  await app.register(syncRoutes, { prefix: '/api/sync' })
  await app.register(pushRoutes, { prefix: '/api/sync', ...config })
  return app as unknown as FastifyInstance
}
