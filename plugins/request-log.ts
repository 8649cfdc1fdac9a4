import fp from 'fastify-plugin'

/**
 * Logs one line per request, after its response: at debug, since a chat has thousands a second; refusals at info. Logs
 * paths only, no bodies.
 */
export default fp(async function requestLog (app) {
  app.addHook('onResponse', (request, reply, done) => {
    const line = {
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      userId: (request as { identity?: { userId: string } | null }).identity?.userId
    }
    if (reply.statusCode >= 400) request.log.info(line, 'request refused')
    else request.log.debug(line, 'request')
    done()
  })
}, { name: 'request-log' })
