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
    schema: { summary: 'Whether the server and its database can serve', tags: ['health'], security: [], response: { 200: Status, 503: FailureBody } }
  }, async () => {
    await app.mongo.client.db('admin').command({ ping: 1 }, { signal: AbortSignal.timeout(pingMsMax) }).catch((cause: unknown) => {
      throw new TidelogError('UNAVAILABLE', undefined, { cause, retryAfterMs: 1_000 })
    })
    return { success: true as const, status: 'ok' }
  })
}

export default fp(health, { name: 'health', dependencies: ['mongodb'] })
