import fp from 'fastify-plugin'
import { ensureUserIndexes, fillSearchKeys } from '../src/auth/accounts.ts'
import type { AuthContext } from '../src/auth/context.ts'
import { issueAdminCodes } from '../src/auth/admin-codes.ts'
import { HashQueue } from '../src/auth/hash-queue.ts'
import { issuesTokens } from '../src/auth/keys.ts'
import { ensureSessionIndexes, pruneSessions, type SessionRow } from '../src/auth/session-rows.ts'
import type { Config } from '../src/config.ts'
import type { AdminCodeRow } from '../src/auth/context.ts'
import { RegularJob } from '../src/lib/regular-job.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The context of the operations on accounts and sessions. */
    accounts: AuthContext
  }
}

const hourMs = 3_600_000

/** Decorates `fastify.accounts`; deletes expired sessions and fills search keys at the start and every hour. */
export default fp(async function accounts (app, config: Config) {
  const { chat } = app
  const sessions = app.mongo.db!.collection<SessionRow>('sessions')
  await ensureUserIndexes(chat.collections.users)
  await ensureSessionIndexes(sessions)
  app.decorate('accounts', {
    users: chat.collections.users,
    sessions,
    files: app.files,
    directory: chat.users,
    adminCodes: app.mongo.db!.collection<AdminCodeRow>('adminCodes'),
    admins: app.admins,
    issuerClock: app.issuerClock,
    hashing: new HashQueue(),
    failures: app.limiters,
    userSearch: config.USER_SEARCH,
    accessTtlMs: config.ACCESS_TOKEN_TTL * 1_000,
    refreshTtlMs: config.REFRESH_TOKEN_TTL * 1_000,
    now: chat.now,
    sign: payload => app.jwt.own.sign(payload),
    announce: async revoked => {
      app.log.info(revoked, 'tokens revoked')
      app.revocations.emit('revoked', revoked)
      await chat.log.quiet()
    }
  })

  const keys = new RegularJob(hourMs, async signal => {
    try {
      await fillSearchKeys(chat.collections.users, signal)
    } catch (error) {
      app.log.warn({ err: error }, 'some users are not found by their names yet')
    }
  })
  app.addHook('onClose', () => keys.close())
  app.addHook('onReady', async () => {
    void keys.start()
    if (!issuesTokens(config)) return
    for (const { username, code } of await issueAdminCodes(app.accounts)) {
      const text = 'nobody bears this name of ADMIN_USERS yet: register it with this adminCode'
      app.log.warn({ username, adminCode: code }, text)
    }
  })

  async function prune (): Promise<void> {
    try {
      const sessionsPruned = await pruneSessions(sessions, chat.now())
      if (sessionsPruned > 0) app.log.info({ sessionsPruned }, 'expired sessions deleted')
    } catch (error) {
      app.log.warn({ err: error }, 'expired sessions could not be deleted')
    }
  }
  await prune()
  const prunes = new RegularJob(hourMs, prune)
  prunes.wait()
  app.addHook('onClose', () => prunes.close())
}, { name: 'accounts', dependencies: ['mongodb', 'chat', 'jwt'] })
