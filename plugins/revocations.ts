import fp from 'fastify-plugin'
import { Revocations } from '../src/auth/revocations.ts'
import { schedule } from '../src/lib/schedule.ts'
import { endRevoked } from '../src/sockets/end-sessions.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Closes the sockets of sessions that another node has ended without this one hearing of it. */
    checkRevocations: () => Promise<void>
  }
}

/** Milliseconds between two checks. */
const checkEveryMs = 10_000

/**
 * If other nodes use the database, checks every ten seconds, and when the link is up again, which sessions they have
 * ended.
 */
export default fp(async function revocations (app) {
  const { chat, io, nodes, sync } = app
  const found = new Revocations(chat.collections.users)
  async function check (): Promise<void> {
    for (const user of await found.look()) {
      chat.users.invalidate(user._id.toHexString())
      endRevoked({ io, longPolls: sync.longPolls }, user, chat.now())
    }
  }
  app.decorate('checkRevocations', check)
  if (app.isSoleWriter) return

  let stop = () => {}
  async function checkAndGoOn (): Promise<void> {
    await check().catch((error: unknown) => { app.log.warn({ err: error }, 'ended sessions could not be read') })
    stop()
    stop = schedule(() => { void checkAndGoOn() }, checkEveryMs)
  }
  nodes.onUp(() => { void checkAndGoOn() })
  app.addHook('onReady', async () => { await checkAndGoOn() })
  app.addHook('preClose', async () => { stop() })
}, { name: 'revocations', dependencies: ['sockets', 'chat', 'nodes', 'sync'] })
