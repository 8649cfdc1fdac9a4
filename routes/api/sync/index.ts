import type { ServerResponse } from 'node:http'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { sendJson } from '../../answers.ts'
import type { Session } from '../../../src/auth/identity.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { SyncBody, SyncInput } from '../../../src/schemas/sync.ts'
import { RepeatedBodies } from '../../../src/sync/repeated-bodies.ts'
import { writeSyncJson } from '../../../src/sync/response.ts'
import { pullOrWait } from '../../../src/sync/long-poll.ts'
import headsRoutes from './heads.ts'

const syncRoutes: FastifyPluginAsyncTypebox = async app => {
  app.addHook('onRequest', app.authenticate)
  await app.register(headsRoutes)

  const repeated = new RepeatedBodies()
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    const { headers, identity: { userId } } = request
    const known = headers['content-encoding'] === undefined ? repeated.get(userId, bytes) : undefined
    if (known !== undefined) return done(null, known)
    app.parseJson(request, bytes, (error, body) => {
      if (error === null) repeated.set(userId, bytes, body)
      done(error, body)
    })
  })

  app.post('', {
    schema: {
      summary: 'What changed in all your conversations',
      description: 'Keep the `cursor` of each conversation and send it next time. While `hasMore`, ask again at ' +
        'once. A conversation whose cursor you do not send comes with its newest page.',
      tags: ['sync'],
      body: SyncInput,
      response: { 200: SyncBody, ...failures(400, 401, 413, 415, 429, 503) }
    }
  }, async ({ body, identity, session }, reply) => {
    const { waitMs = 0 } = body
    const input = waitMs === 0 ? body : { ...body, waitMs: withinSession(waitMs, session, app.chat.now()) }
    const gone = waitMs === 0 ? undefined : untilGone(reply.raw)
    const pulled = await pullOrWait(app.sync, identity, input, gone)
    // The session may have ended during the wait: send nothing that happened afterwards.
    if (waitMs > 0) await app.requireSession(session)
    return await sendJson(reply, writeSyncJson(pulled, app.chat.now()))
  })
}

/** Limits a wait to the token's lifetime; a timer may fire a moment early. */
function withinSession (waitMs: number, { expiresAt }: Session, now: number): number {
  return expiresAt === null ? waitMs : Math.min(waitMs, Math.max(0, expiresAt.getTime() - now) + 5)
}

/** Aborts if the client disconnects before the response. */
function untilGone (response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => { gone.abort() })
  return gone.signal
}

export default syncRoutes
