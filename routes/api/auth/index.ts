import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { issuesTokens } from '../../../src/auth/keys.ts'
import { toOwnUser } from '../../../src/auth/payload.ts'
import { endOwnSession, listSessions } from '../../../src/auth/own-sessions.ts'
import { endAllSessions, endSession } from '../../../src/auth/sessions.ts'
import type { Config } from '../../../src/config.ts'
import { LogoutInput, SessionInfo, SessionParams } from '../../../src/schemas/auth.ts'
import { failures } from '../../../src/schemas/failures.ts'
import { OwnUser } from '../../../src/schemas/user.ts'
import accountRoutes from './accounts.ts'

/** Authentication. If only a host application issues tokens, there is no registration and no login here. */
const authRoutes: FastifyPluginAsyncTypebox<Config> = async (app, config) => {
  // The length of a compressed answer reveals something of its content, and these answers hold tokens.
  app.addHook('onRoute', route => { route.config = { ...route.config, compresses: false } })
  if (issuesTokens(config)) await app.register(accountRoutes)

  app.post('/logout', {
    onRequest: app.authenticate,
    schema: {
      summary: 'End this session, or all your sessions',
      description: 'The server refuses this access token and the refresh token of its session from now on, and ' +
        'closes its sockets. With `everywhere` it ends all your sessions.',
      tags: ['authentication'],
      body: Type.Union([LogoutInput, Type.Null()]),
      response: { 200: Type.Object({ success: Type.Literal(true) }), ...failures(400, 401, 415, 429, 503) }
    }
  }, async ({ body, identity, session }) => {
    if (body?.everywhere === true) await endAllSessions(app.accounts, identity.id)
    else await endSession(app.accounts, identity.id, identity.sessionId, session.expiresAt)
    return { success: true as const }
  })

  app.get('/sessions', {
    onRequest: app.authenticate,
    schema: {
      summary: 'Your sessions',
      description: 'At most 100 sessions that have not ended, the last used first. A host application\'s tokens have ' +
        'none.',
      tags: ['authentication'],
      response: {
        200: Type.Object({ success: Type.Literal(true), sessions: Type.Array(SessionInfo) }),
        ...failures(401, 429, 503)
      }
    }
  }, async ({ identity }) => ({ success: true as const, sessions: await listSessions(app.accounts, identity) }))

  app.delete('/sessions/:id', {
    onRequest: app.authenticate,
    schema: {
      summary: 'End one of your sessions',
      tags: ['authentication'],
      params: SessionParams,
      response: { 200: Type.Object({ success: Type.Literal(true) }), ...failures(400, 401, 404, 429, 503) }
    }
  }, async ({ params, identity }) => {
    await endOwnSession(app.accounts, identity, params.id)
    return { success: true as const }
  })

  app.get('/me', {
    onRequest: app.authenticate,
    schema: {
      summary: 'Your account',
      tags: ['authentication'],
      response: { 200: Type.Object({ success: Type.Literal(true), user: OwnUser }), ...failures(401, 429, 503) }
    }
  }, async ({ identity }) => ({ success: true as const, user: toOwnUser(identity.user, identity.isAdmin) }))
}

export default authRoutes
