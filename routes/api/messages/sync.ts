import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { sendJson } from '../../answers.ts'
import { TidelogError } from '../../../src/errors.ts'
import { failures } from '../../../src/schemas/failures.ts'
import {
  SyncConversationBody, SyncConversationInput, SyncStatusBody, SyncStatusQuery
} from '../../../src/schemas/sync.ts'
import { syncStatus } from '../../../src/sync/legacy/sync-status.ts'
import { writeConversationJson } from '../../../src/sync/legacy/conversation-json.ts'
import { syncConversation } from '../../../src/sync/legacy/sync-conversation.ts'

/** The sync of legacy clients. The plugin that registers it authenticates. */
const syncRoutes: FastifyPluginAsyncTypebox = async app => {
  app.post('/sync-conversation', {
    schema: {
      summary: 'What changed in a direct conversation',
      description: 'Send `syncTimestamp` back as `lastSyncTimestamp`, or `cursor` as `cursor`. While `hasMore`, ask ' +
        'again at once.',
      tags: ['sync'],
      body: SyncConversationInput,
      response: { 200: SyncConversationBody, ...failures(400, 401, 413, 415, 429, 503) }
    },
    preValidation: ({ body }, _reply, done) => {
      // Legacy clients know this text, so it comes before any other error of the body.
      const isMissing = (body as { otherUserId?: unknown } | null | undefined)?.otherUserId == null
      done(isMissing ? new TidelogError('VALIDATION', 'otherUserId is required') : undefined)
    }
  }, async ({ body, identity }, reply: FastifyReply) => {
    const found = await syncConversation(app.chat, identity, body)
    return await sendJson(reply, writeConversationJson(found))
  })

  app.get('/sync-status', {
    schema: {
      summary: 'Whether anything has changed in your direct conversations',
      tags: ['sync'],
      querystring: SyncStatusQuery,
      response: { 200: SyncStatusBody, ...failures(400, 401, 429, 503) }
    }
  }, async ({ query, identity }) => ({
    success: true as const, ...await syncStatus(app.chat, identity, query.lastChecked)
  }))
}

export default syncRoutes
