import fp from 'fastify-plugin'
import { continueErasures } from '../src/auth/erase-account.ts'
import { eraseFromConversations } from '../src/chat/erasure.ts'
import { RegularJob } from '../src/lib/regular-job.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Deletes what erased users have left in the conversations. It must be called when an account was erased. */
    continueErasures: () => Promise<void>
  }
}

const minuteMs = 60_000

/** Decorates `fastify.continueErasures`, and calls it at the start and about every minute. */
export default fp(async function erasure (app) {
  const { accounts, chat } = app
  const erasures = new RegularJob(minuteMs, async signal => {
    try {
      await continueErasures(accounts, async userId => {
        const messagesDeleted = await eraseFromConversations(chat, userId, signal)
        app.log.info({ userId: userId.toHexString(), messagesDeleted }, 'messages of an erased user deleted')
      }, signal)
    } catch (error) {
      app.log.warn({ err: error }, 'messages of erased users are left to the next run')
    }
  })
  app.decorate('continueErasures', erasures.start)
  app.addHook('onReady', async () => { void erasures.start() })
  app.addHook('onClose', () => erasures.close())
}, { name: 'erasure', dependencies: ['accounts', 'chat'] })
