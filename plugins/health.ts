import underPressure from '@fastify/under-pressure'
import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import fp from 'fastify-plugin'
import { TidelogError } from '../src/errors.ts'
import { FailureBody } from '../src/schemas/primitives.ts'

/** Milliseconds that the event loop may lag behind before requests are refused: later ones would time out anyway. */
const loopDelayMsMax = 2_000
/** Milliseconds over which the lag is measured. Turns that are longer than half of it leave nothing to measure, which counts as too much. */
const sampleMs = 2 * loopDelayMsMax

/** Milliseconds within which a database that can serve answers; what asks for readiness often waits for no longer itself. */
const pingMsMax = 2_000

const Status = Type.Object({ success: Type.Literal(true), status: Type.String() })

/** `/health/live` (the process answers), `/health/ready` (so does the database), and refusal under overload. */
const health: FastifyPluginAsyncTypebox = async app => {
  await app.register(underPressure, {
    maxEventLoopDelay: loopDelayMsMax,
    sampleInterval: sampleMs,
    pressureHandler: () => { throw new TidelogError('OVERLOADED', undefined, { retryAfterMs: 1_000 }) }
  })
  app.get('/health/live', {
    // Whoever ends processes that do not answer would end the one that has too much to do.
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
