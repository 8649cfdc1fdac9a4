import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { login } from '../../../src/auth/login.ts'
import { tokenPairBody } from '../../../src/auth/payload.ts'
import { register } from '../../../src/auth/register.ts'
import { refreshSession } from '../../../src/auth/sessions.ts'
import { GrantBody, LoginInput, RefreshInput, RegisterInput } from '../../../src/schemas/auth.ts'
import { failures } from '../../../src/schemas/failures.ts'

/** Accounts of our own; `app.accounts` signs their tokens. */
const accountRoutes: FastifyPluginAsyncTypebox = async app => {
  app.post('/register', {
    schema: {
      summary: 'Make an account and begin a session',
      description: 'User names and e-mail addresses are there once, without regard to case.',
      tags: ['authentication'],
      security: [],
      body: RegisterInput,
      response: { 201: GrantBody, ...failures(400, 409, 413, 415, 429, 503) }
    }
  }, async (request, reply) => {
    app.limiters.register.consume(app.addressOf(request.raw))
    const grant = await register(app.accounts, request.body)
    request.log.info({ userId: grant.user._id.toHexString() }, 'account registered')
    return reply.code(201).send(tokenPairBody(grant))
  })

  app.post('/login', {
    schema: {
      summary: 'Begin a session',
      description: 'With `email` or `username`. An unknown account and a wrong password are told alike; failures are counted for the account and address.',
      tags: ['authentication'],
      security: [],
      body: LoginInput,
      response: { 200: GrantBody, ...failures(400, 401, 403, 413, 415, 429, 503) }
    }
  }, async request => {
    const grant = await login(app.accounts, request.body, app.addressOf(request.raw), app.limiters.login)
    request.log.info({ userId: grant.user._id.toHexString() }, 'logged in')
    return tokenPairBody(grant)
  })

  app.post('/refresh', {
    schema: {
      summary: 'Continue a session with new tokens',
      description: 'A refresh token is good once. Sending one that was exchanged before ends the session (401 `INVALID_REFRESH_TOKEN`); only requests that overlap at one server get the same answer.',
      tags: ['authentication'],
      security: [],
      body: RefreshInput,
      response: { 200: GrantBody, ...failures(400, 401, 413, 415, 503) }
    }
  }, async request => tokenPairBody(await refreshSession(app.accounts, request.body.refreshToken)))
}

export default accountRoutes
