import type { Span } from '@opentelemetry/api'
import { context } from '@opentelemetry/api'
import fp from 'fastify-plugin'
import { Tracing } from '../src/tracing/tracing.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined: the process has no OpenTelemetry SDK. */
    tracing: Tracing | undefined
  }
  interface FastifyRequest {
    span: Span | undefined
  }
}

/** Traces REST requests, commits and deliveries; the plugin `sockets` traces the events. */
export default fp(async function tracing (app) {
  const tracing = Tracing.open()
  app.decorate('tracing', tracing)
  if (tracing === undefined) return
  app.decorateRequest('span', undefined)
  app.addHook('onRequest', (request, _reply, done) => {
    const { method, headers, routeOptions: { url = 'unknown' } } = request
    const started = tracing.startRequest(method, url, headers)
    request.span = started.span
    context.with(started.context, done)
  })
  app.addHook('onResponse', (request, reply, done) => {
    if (request.span !== undefined) tracing.endRequest(request.span, reply.statusCode)
    done()
  })

  const { log } = app.chat
  log.aroundCommit = (unit, run) => tracing.commit(unit, run)
  let written = (): void => {}
  // Live delivery is registered between these two, and listeners are called in the order of their registration.
  const stops = [log.onCommitted(committed => {
    const end = tracing.deliver(committed)
    written = () => { end(app.live) }
  })]
  app.addHook('onReady', async () => { stops.push(log.onCommitted(() => { written() })) })
  app.addHook('onClose', async () => { for (const stop of stops) stop() })
}, { name: 'tracing', dependencies: ['chat'] })
