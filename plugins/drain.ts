import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'
import type { Config } from '../src/config.ts'
import { TidelogError } from '../src/errors.ts'
import { sendAway } from '../src/sockets/send-away.ts'

declare module 'fastify' {
  interface FastifyInstance {
    draining: Draining
    /**
     * Lets other nodes take over: answers readiness with 503, then sends the sockets away. Resolves when they are gone.
     * Does nothing if there are no other nodes. Close the app afterwards.
     */
    drain: () => Promise<void>
  }
}

/** How far this process has handed its clients over. */
interface Draining {
  /** Load balancers are to send nobody any more. */
  isOn: boolean
  /** @throws TidelogError UNAVAILABLE, if the sockets are being sent away: a new one would have to go at once */
  requireOff: () => void
}

/** Decorates `fastify.drain`. */
export default fp(async function drain (app, { DRAIN_DELAY, DRAIN_SECONDS }: Config) {
  let isSendingAway = false
  const draining: Draining = {
    isOn: false,
    requireOff () {
      if (isSendingAway) throw new TidelogError('UNAVAILABLE', 'The server is shutting down', { retryAfterMs: 1_000 })
    }
  }
  app.decorate('draining', draining)
  app.decorate('drain', async () => {
    if (!app.nodes.isLinked || draining.isOn) return
    draining.isOn = true
    app.log.info({ delaySeconds: DRAIN_DELAY }, 'draining: not ready any more')
    await delay(DRAIN_DELAY * 1_000)
    isSendingAway = true
    const count = await sendAway(app.io, DRAIN_SECONDS * 1_000)
    app.log.info({ sockets: count }, 'draining: the sockets are gone')
  })
  // A client that keeps its connection would come back on it.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (draining.isOn) reply.header('connection', 'close')
    done()
  })
}, { name: 'drain', dependencies: ['nodes'] })
