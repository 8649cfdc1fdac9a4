import fp from 'fastify-plugin'

/** One line a request, after its answer: at debug, since a chat has thousands a second; refusals at info. Paths only, no bodies. */
export default fp(async function requestLog (app) {
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      userId: (request as { identity?: { userId: string } | null }).identity?.userId
    }
    if (reply.statusCode >= 400) request.log.info(line, 'request refused')
    else request.log.debug(line, 'request')
  })
}, { name: 'request-log' })
