import fp from 'fastify-plugin'
import { sweepRetention } from '../src/chat/conversations/retention.ts'
import type { Config } from '../src/config.ts'
import { RegularJob } from '../src/lib/regular-job.ts'

/** Milliseconds between two sweeps. */
const sweepEveryMs = 3_600_000

/** Purges messages older than RETENTION_DAYS at the start and about every hour. Closing ends a running sweep. */
export default fp(async function retention (app, { RETENTION_DAYS: days }: Config) {
  if (days === 0) return
  const sweeps = new RegularJob(sweepEveryMs, async signal => {
    try {
      const swept = await sweepRetention(app.chat, { days, forget: app.messageSearch.forget, signal })
      if (swept.purged > 0 || swept.deletedRows > 0) app.log.info(swept, 'messages purged')
      if (swept.failed > 0) app.log.warn(swept, 'conversations left to the next purge')
    } catch (error) {
      app.log.warn({ err: error }, 'purge of old messages cut short')
    }
  })
  app.addHook('onReady', async () => { void sweeps.start() })
  app.addHook('onClose', () => sweeps.close())
}, { name: 'retention', dependencies: ['chat', 'search'] })
