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
      summary: 'Send your outbox',
      description: 'The server applies up to 100 operations in order, and returns a result for each. If one fails, ' +
        'it skips the later ones on the same message (`PREVIOUS_FAILED`), and applies the others. An ' +
        'operation with wrong fields gets `VALIDATION` as its result. The server refuses the whole call only if it ' +
        'is not a list of operations.',
      tags: ['sync'],
      body: PushInput,
      response: { 200: PushBody, ...failures(400, 401, 413, 415, 429, 503) }
    }
  }, async ({ body, identity, session, log }) => {
    const chat = guardedBy(app.chat, () => app.requireSession(session))
    const results = await pushOutbox(chat, identity, body.operations, thrown => {
      const error = toTidelogError(thrown instanceof Error ? thrown : new Error(String(thrown)))
      if (error.status >= 500) log.error({ err: thrown }, 'operation failed')
      return error
    })
    return { success: true as const, results }
  })
}

export default pushRoutes
