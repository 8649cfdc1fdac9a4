import fp from 'fastify-plugin'
import { sweepRetention } from '../src/chat/conversations/retention.ts'
import type { Config } from '../src/config.ts'

/** Average milliseconds between two sweeps. The time varies, so that nodes which start together drift apart. */
const sweepEveryMs = 3_600_000

/** Purges messages older than RETENTION_DAYS at the start and about every hour. Closing ends a running sweep. */
export default fp(async function retention (app, { RETENTION_DAYS: days }: Config) {
  if (days === 0) return
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let sweeping: Promise<void> = Promise.resolve()
  const start = () => {
    sweeping = sweepRetention(app.chat, { days, forget: app.messageSearch.forget, signal: stop.signal }).then(
      swept => {
        if (swept.purged > 0 || swept.deletedRows > 0) app.log.info(swept, 'messages purged')
        if (swept.failed > 0) app.log.warn(swept, 'conversations left to the next purge')
      },
      (error: unknown) => { app.log.warn({ err: error }, 'purge of old messages cut short') }
    ).then(() => {
      if (!stop.signal.aborted) timer = setTimeout(start, sweepEveryMs * (0.9 + Math.random() * 0.2)).unref()
    })
  }
  app.addHook('onReady', async () => { start() })
  app.addHook('onClose', async () => {
    stop.abort()
    clearTimeout(timer)
    await sweeping
  })
}, { name: 'retention', dependencies: ['chat', 'search'] })
