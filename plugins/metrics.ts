import { join, resolve } from 'node:path'
import fp from 'fastify-plugin'
import { type Config, trustedProxies } from '../src/config.ts'
import { TidelogError } from '../src/errors.ts'
import { metricsAccess } from '../src/metrics/access.ts'
import { openMetrics } from '../src/metrics/metrics.ts'
import { Traffic } from '../src/metrics/traffic.ts'

/**
 * `GET /metrics` in Prometheus's format, for those whom METRICS_TOKEN or METRICS_NETWORKS admits. If both are empty,
 * nothing is counted here and the route answers 404.
 */
export default fp(async function metrics (app, config: Config) {
  const { METRICS_TOKEN: token, METRICS_NETWORKS: networks } = config
  if (token === '' && networks === '') return
  const traffic = new Traffic()
  const { chat: { log }, io, live, sync, refusedSockets } = app
  const isAllowed = metricsAccess({ token, networks, trust: trustedProxies(config) })
  const registry = openMetrics({
    traffic,
    log,
    io,
    live,
    watermarks: live.watermarks,
    nodes: app.nodes,
    sync,
    blobs: app.files.blobs,
    follower: app.messageSearch.follower,
    refusedSockets,
    limiters: { ...app.limiters },
    databaseFile: app.isSoleWriter ? join(resolve(config.DATA_DIR), 'data.mdb') : undefined
  })
  const stop = log.onCommitted(committed => { traffic.committed(committed) })
  io.on('connection', () => { traffic.sockets++ })
  app.addHook('onResponse', (request, reply, done) => {
    traffic.answered(reply.statusCode, reply.elapsedTime / 1_000, request.routeOptions.url === '/api/sync')
    done()
  })
  app.addHook('onClose', async () => {
    stop()
    registry.clear()
  })

  app.get('/metrics', {
    // An overloaded server is the one whose metrics are wanted.
    config: { pressureHandler: () => {} },
    schema: { hide: true }
  }, async (request, reply) => {
    // As for everything private: strangers do not learn that it exists.
    if (!isAllowed(request.raw)) throw new TidelogError('NOT_FOUND', `There is no ${request.method} /metrics`)
    return await reply.header('cache-control', 'no-store').type(registry.contentType).send(await registry.metrics())
  })
}, { name: 'metrics', dependencies: ['sockets', 'nodes', 'sync', 'chat', 'files', 'search', 'rate-limit'] })
