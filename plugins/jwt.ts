import { EventEmitter } from 'node:events'
import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../src/config.ts'
import { TidelogError } from '../src/errors.ts'
import {
  type Claims, claimedUserId, openSession, requireGood, type Revocation, type Session
} from '../src/auth/identity.ts'
import { AdminNames } from '../src/auth/admin-names.ts'
import { IssuerClock } from '../src/auth/issuer-clock.ts'
import { JwkSet } from '../src/auth/jwks.ts'
import { tokenKeys } from '../src/auth/keys.ts'
import type { OwnClaims } from '../src/auth/context.ts'
import type { SessionRow } from '../src/auth/session-rows.ts'
import { SessionUse } from '../src/auth/session-use.ts'
import { TokenVerifier } from '../src/auth/verifier.ts'
import type { Identity } from '../src/users/identity.ts'
import type { UserRow } from '../src/users/user-row.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** An onRequest hook: sets `request.identity`, or refuses with 401; counts the request against the user's limit. */
    authenticate: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
    /**
     * The session of a token, if the token is valid now.
     * @throws TidelogError NO_TOKEN, UNKNOWN_USER or INVALID_TOKEN, with the texts that legacy clients know.
     */
    verifyToken: (token: unknown) => Promise<Session>
    /**
     * Refuses a session's request if the session has ended since the token was verified. Returns no promise if that is
     * known at once.
     * @throws TidelogError INVALID_TOKEN, UNKNOWN_USER
     */
    requireSession: (session: Session) => void | Promise<void>
    /** The administrators, by name. */
    admins: AdminNames
    /** The host application's clock, as learned from its tokens. */
    issuerClock: IssuerClock
    /** Emits `revoked` in this process when a user logs out or is deactivated here. */
    revocations: EventEmitter<{ revoked: [Revocation] }>
  }
  interface FastifyRequest {
    /** Set by `authenticate`. */
    identity: Identity
    /** The session of the request's token. Set by `authenticate`. */
    session: Session
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    /**
     * `own`: HS256; `host` and `jwks`: a host application's public keys. A namespace is registered if the configuration
     * names its key.
     */
    namespaces: 'own' | 'host' | 'jwks'
    payload: OwnClaims
  }
}

/** Verifies tokens, each algorithm with its own key only, and identifies the user. */
export default fp(async function jwt (app, config: Config) {
  const verifier = new TokenVerifier()
  await acceptKeys(app, config, verifier)
  const admins = new AdminNames(config.ADMIN_USERS)
  const issuerClock = new IssuerClock()
  const use = new SessionUse(app.mongo.db!.collection<SessionRow>('sessions'), error => {
    app.log.warn({ err: error }, 'the use of a session could not be noted')
  })
  const { users, now } = app.chat
  const opened = new WeakMap<Claims, Session>()

  async function verifyToken (token: unknown): Promise<Session> {
    if (token === undefined || token === null || token === '') throw new TidelogError('NO_TOKEN')
    if (typeof token !== 'string') throw new TidelogError('INVALID_TOKEN')
    const claims = await verifier.verify(token)
    const userId = claimedUserId(claims)
    const session = sessionOf(token, claims, users.peek(userId) ?? await users.get(userId))
    await note(session)
    return session
  }

  /** Opens a session once for remembered claims and a row of the user, and checks it each time. */
  function sessionOf (token: string, claims: Claims, user: UserRow | undefined): Session {
    const known = opened.get(claims)
    if (known !== undefined && known.identity.user === user) {
      requireGood(known, user, now())
      return known
    }
    const session = openSession(token, claims, user, admins, now())
    opened.set(claims, session)
    return session
  }

  /** Records the use of a valid token and its time of issue. */
  function note ({ identity: { userId, sessionId }, generation, pair, issuedAt }: Session): Promise<void> | undefined {
    if (generation !== null) return use.note(sessionId, pair, now())
    if (issuedAt !== null) issuerClock.observe(userId, sessionId, issuedAt.getTime(), now())
    return undefined
  }

  function requireSession (session: Session): void | Promise<void> {
    const { userId } = session.identity
    const known = users.peek(userId)
    if (known !== undefined) return requireGood(session, known, now())
    return users.get(userId).then(user => { requireGood(session, user, now()) })
  }

  async function authenticate (request: FastifyRequest, reply: FastifyReply): Promise<void> {
    try {
      const session = await verifyToken(bearer(request.headers.authorization))
      request.identity = session.identity
      request.session = session
    } catch (error) {
      if (!(error instanceof TidelogError) || error.status !== 401) throw error
      app.limiters.requests.consume(`address:${app.addressOf(request.raw)}`)
      reply.header('www-authenticate', error.code === 'NO_TOKEN' ? 'Bearer' : 'Bearer error="invalid_token"')
      throw error
    }
    app.limiters.requests.consume(request.identity.userId)
  }

  app.decorateRequest('identity', null as unknown as Identity)
  app.decorateRequest('session', null as unknown as Session)
  app.decorate('admins', admins)
  app.decorate('issuerClock', issuerClock)
  app.decorate('authenticate', authenticate)
  app.decorate('verifyToken', verifyToken)
  app.decorate('requireSession', requireSession)
  // The session may have ended while the body arrived.
  app.addHook('preHandler', ({ session }: { session?: Session | null }, _reply, done) => {
    // Routes of plugins that were registered before this one have no session.
    const pending = session === undefined || session === null ? undefined : requireSession(session)
    if (pending === undefined) done()
    else pending.then(() => { done() }, done)
  })
  app.decorate('revocations', new EventEmitter<{ revoked: [Revocation] }>())
}, { name: 'jwt', dependencies: ['chat', 'rate-limit', 'addresses'] })

/** Registers a verifier for each key that the configuration names. */
async function acceptKeys (app: FastifyInstance, config: Config, verifier: TokenVerifier): Promise<void> {
  const keys = tokenKeys(config)
  if (keys.secret !== undefined) {
    await app.register(fastifyJwt, {
      namespace: 'own',
      secret: keys.secret,
      sign: { algorithm: 'HS256', expiresIn: config.ACCESS_TOKEN_TTL },
      verify: { algorithms: ['HS256'] }
    })
    verifier.accept('HS256', token => app.jwt.own.verify(token))
  }
  if (keys.publicKey !== undefined) {
    const { pem, algorithm } = keys.publicKey
    await app.register(fastifyJwt, { namespace: 'host', secret: { public: pem }, verify: { algorithms: [algorithm] } })
    verifier.accept(algorithm, token => app.jwt.host.verify(token))
  }
  if (keys.jwksUrl !== undefined) {
    const jwks = new JwkSet(keys.jwksUrl, {
      onError: error => { app.log.warn({ err: error }, 'keys of the host application could not be fetched') }
    })
    const algorithms = ['RS256', 'ES256', 'EdDSA'] as const
    await app.register(fastifyJwt, {
      namespace: 'jwks',
      secret: {
        public: async ({ header }: { header: Record<string, unknown> }) =>
          jwks.pem(header['alg'] as string, header['kid'] as string | undefined)
      },
      verify: { algorithms: [...algorithms] }
    })
    for (const algorithm of algorithms) verifier.accept(algorithm, token => app.jwt.jwks.verify(token))
  }
}

function bearer (authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^Bearer +(\S.*)$/i.exec(authorization)?.[1]?.trimEnd()
}
