import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { changePassword } from '../../../src/auth/change-password.ts'
import { login } from '../../../src/auth/login.ts'
import { clientName } from '../../../src/auth/own-sessions.ts'
import { tokenPairBody } from '../../../src/auth/payload.ts'
import { register } from '../../../src/auth/register.ts'
import { refreshSession } from '../../../src/auth/sessions.ts'
import { GrantBody, LoginInput, PasswordInput, RefreshInput, RegisterInput } from '../../../src/schemas/auth.ts'
import { failures } from '../../../src/schemas/failures.ts'
import type { Caller } from '../../../src/auth/context.ts'

/** Routes of accounts that register here; `app.accounts` signs their tokens. */
const accountRoutes: FastifyPluginAsyncTypebox = async app => {
  const callerOf = ({ raw, headers }: Pick<FastifyRequest, 'raw' | 'headers'>): Caller => ({
    address: app.addressOf(raw), client: clientName(headers['user-agent'])
  })
  /** A request counts for its address until its token is verified. */
  const countAddress = async ({ raw }: FastifyRequest) => {
    app.limiters.requests.consume(`address:${app.addressOf(raw)}`)
  }

  app.post('/register', {
    onRequest: countAddress,
    schema: {
      summary: 'Create an account and begin a session',
      description: 'User names and e-mail addresses are unique, ignoring case.',
      tags: ['authentication'],
      security: [],
      body: RegisterInput,
      response: { 201: GrantBody, ...failures(400, 403, 409, 413, 415, 429, 503) }
    }
  }, async (request, reply) => {
    app.limiters.register.consume(app.addressOf(request.raw))
    const grant = await register(app.accounts, request.body, callerOf(request))
    request.log.info({ userId: grant.user._id.toHexString() }, 'account registered')
    return reply.code(201).send(tokenPairBody(grant))
  })

  app.post('/login', {
    onRequest: countAddress,
    schema: {
      summary: 'Begin a session',
      description: 'Send `email` or `username`. An unknown account and a wrong password get the same answer. The ' +
        'server counts failures by account and address, by address, and by account over all addresses that are new ' +
        'to it.',
      tags: ['authentication'],
      security: [],
      body: LoginInput,
      response: { 200: GrantBody, ...failures(400, 401, 403, 413, 415, 429, 503) }
    }
  }, async request => {
    const grant = await login(app.accounts, request.body, callerOf(request))
    request.log.info({ userId: grant.user._id.toHexString() }, 'logged in')
    return tokenPairBody(grant)
  })

  app.post('/refresh', {
    onRequest: countAddress,
    schema: {
      summary: 'Continue a session with new tokens',
      description: 'An answer may be lost, so you can exchange the old refresh token again until you use one of the ' +
        'new tokens; that replaces them. If you send it later, or send an older or a replaced one, the session ends ' +
        '(401 `INVALID_REFRESH_TOKEN`).',
      tags: ['authentication'],
      security: [],
      body: RefreshInput,
      response: { 200: GrantBody, ...failures(400, 401, 413, 415, 429, 503) }
    }
  }, async request => tokenPairBody(await refreshSession(app.accounts, request.body.refreshToken, callerOf(request))))

  app.post('/password', {
    onRequest: app.authenticate,
    schema: {
      summary: 'Change your password',
      description: 'Ends your other sessions; this one keeps its tokens. A wrong `password` counts as a failed login.',
      tags: ['authentication'],
      body: PasswordInput,
      response: { 200: Type.Object({ success: Type.Literal(true) }), ...failures(400, 401, 413, 415, 429, 503) }
    }
  }, async ({ body, identity, log }) => {
    await changePassword(app.accounts, identity, body)
    log.info({ userId: identity.userId }, 'password changed')
    return { success: true as const }
  })
}

export default accountRoutes
