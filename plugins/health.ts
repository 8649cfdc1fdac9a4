import underPressure from '@fastify/under-pressure'
import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import fp from 'fastify-plugin'
import { TidelogError } from '../src/errors.ts'
import { FailureBody } from '../src/schemas/primitives.ts'

/** Milliseconds of event loop delay above which requests are refused: later ones would time out anyway. */
const loopDelayMsMax = 2_000
/**
 * Milliseconds over which the delay is measured. If ticks take longer than half of it, there is no measurement, which
 * counts as too much.
 */
const sampleMs = 2 * loopDelayMsMax

/** Milliseconds in which a working database answers a ping. Readiness probes often wait no longer themselves. */
const pingMsMax = 2_000

const Status = Type.Object({ success: Type.Literal(true), status: Type.String() })
const Readiness = Type.Object({
  ...Status.properties,
  link: Type.Optional(Type.Union([Type.Literal('up'), Type.Literal('down')], {
    description: 'If this server is linked to others: whether their changes arrive at once'
  })),
  files: Type.Optional(Type.Literal('down', {
    description: 'The bucket of the files did not answer when it was last asked. Messages do not need it'
  }))
})

/** `/health/live` (the process answers), `/health/ready` (the database answers too), and refusal under overload. */
const health: FastifyPluginAsyncTypebox = async app => {
  await app.register(underPressure, {
    maxEventLoopDelay: loopDelayMsMax,
    sampleInterval: sampleMs,
    pressureHandler: () => { throw new TidelogError('OVERLOADED', undefined, { retryAfterMs: 1_000 }) }
  })
  app.get('/health/live', {
    // Liveness ignores overload: a supervisor would otherwise kill a busy process.
    config: { pressureHandler: () => {} },
    schema: { summary: 'Whether the process is alive', tags: ['health'], security: [], response: { 200: Status } }
  }, async () => ({ success: true as const, status: 'ok' }))

  app.get('/health/ready', {
    schema: {
      summary: 'Whether the server and its database can serve',
      tags: ['health'],
      security: [],
      response: { 200: Readiness, 503: FailureBody }
    }
  }, async () => {
    if (app.draining.isOn) throw new TidelogError('UNAVAILABLE', 'The server is shutting down')
    await app.mongo.client.db('admin').command({ ping: 1 }, { signal: AbortSignal.timeout(pingMsMax) })
      .catch((cause: unknown) => {
        throw new TidelogError('UNAVAILABLE', undefined, { cause, retryAfterMs: 1_000 })
      })
    const { isLinked, isUp } = app.nodes
    const link = isUp ? 'up' as const : 'down' as const
    const files = app.files.blobs.isUp ? {} : { files: 'down' as const }
    return { success: true as const, status: 'ok', ...(isLinked ? { link } : {}), ...files }
  })
}

export default fp(health, { name: 'health', dependencies: ['mongodb', 'nodes', 'drain', 'files'] })
