import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyReply } from 'fastify'
import { sendJson } from '../../answers.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { HeadsBody } from '../../../src/schemas/sync.ts'
import { readHeadsResponse, matchesEtag, cachedEtag } from '../../../src/sync/heads.ts'

/** The plugin that registers it authenticates. */
const headsRoutes: FastifyPluginAsyncTypebox = async app => {
  app.get('/heads', {
    schema: {
      summary: 'The heads of your conversations',
      description: 'The cheap poll: send the ETag of the last answer as `If-None-Match`, and get 304 while nothing ' +
        'changed. If the head of a conversation differs from your cursor, `POST /api/sync` has something new. Do not ' +
        'use a head as a cursor.',
      tags: ['sync'],
      response: { 200: HeadsBody, 304: Type.Null({ description: 'Nothing changed' }), ...failures(401, 429, 503) }
    }
  }, async ({ headers, identity }, reply: FastifyReply) => {
    const known = headers['if-none-match']
    const unmoved = known === undefined ? undefined : cachedEtag(app.sync, identity)
    reply.header('cache-control', 'private, no-cache')
    if (unmoved !== undefined && matchesEtag(known, unmoved)) {
      return await reply.header('etag', unmoved).code(304).send()
    }
    const { etag, body } = await readHeadsResponse(app.sync, identity)
    reply.header('etag', etag)
    if (matchesEtag(known, etag)) return await reply.code(304).send()
    return await sendJson(reply, body())
  })
}

export default headsRoutes
