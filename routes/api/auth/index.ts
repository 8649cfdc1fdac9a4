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

/** Authentication; with a host application's tokens alone there is nothing to register with or to log in to here. */
const authRoutes: FastifyPluginAsyncTypebox<Config> = async (app, config) => {
  if (issuesTokens(config)) await app.register(accountRoutes)

  app.post('/logout', {
    onRequest: app.authenticate,
    schema: {
      summary: 'End this session, or all',
      description: 'The access token at hand and the refresh token of its session are refused from now on, and its sockets are closed. With `everywhere`, so are all others of the user.',
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
      summary: 'The caller\'s sessions',
      description: 'Those that can be continued, last used first, at most 100. A host application\'s tokens have none.',
      tags: ['authentication'],
      response: { 200: Type.Object({ success: Type.Literal(true), sessions: Type.Array(SessionInfo) }), ...failures(401, 429, 503) }
    }
  }, async ({ identity }) => ({ success: true as const, sessions: await listSessions(app.accounts, identity) }))

  app.delete('/sessions/:id', {
    onRequest: app.authenticate,
    schema: {
      summary: 'End one of the caller\'s sessions',
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
      summary: 'The caller\'s own account',
      tags: ['authentication'],
      response: { 200: Type.Object({ success: Type.Literal(true), user: OwnUser }), ...failures(401, 429, 503) }
    }
  }, async ({ identity }) => ({ success: true as const, user: toOwnUser(identity.user, identity.isAdmin) }))
}

export default authRoutes
