import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { guardedBy } from '../../../src/chat/context.ts'
import type { Config } from '../../../src/config.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { PushBody, PushInput } from '../../../src/schemas/push.ts'
import { pushOutbox } from '../../../src/outbox/push.ts'
import { toTidelogError } from '../../../src/to-tidelog-error.ts'

const pushRoutes: FastifyPluginAsyncTypebox<Config> = async (app, config) => {
  app.post('/push', {
    bodyLimit: config.OUTBOX_BYTES_MAX,
    onRequest: app.authenticate,
    schema: {
      summary: 'An offline outbox',
      description: 'Applies up to 100 operations in order and answers with a result for each. One that fails stops none but the later ones on ' +
        'the same message, which are not tried and get `PREVIOUS_FAILED`. An operation whose fields are wrong has `VALIDATION` as its own ' +
        'result; only what is no list of operations at all is refused as a whole.',
      tags: ['sync'],
      body: PushInput,
      response: { 200: PushBody, ...failures(400, 401, 413, 415, 429, 503) }
    }
  }, async ({ body, identity, session, log }) => ({
    success: true as const,
    results: await pushOutbox(guardedBy(app.chat, () => app.requireSession(session)), identity, body.operations, thrown => {
      const error = toTidelogError(thrown instanceof Error ? thrown : new Error(String(thrown)))
      if (error.status >= 500) log.error({ err: thrown }, 'operation failed')
      return error
    })
  }))
}

export default pushRoutes
