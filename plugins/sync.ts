import fp from 'fastify-plugin'
import type { SyncContext } from '../src/sync/context.ts'
import { PlaceDirectory } from '../src/sync/places.ts'
import { Waiters } from '../src/sync/wait.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the sync over all conversations works on. */
    sync: SyncContext
  }
}

/** Milliseconds between two looks of a waiting call where other processes write to the database too. */
const lookAgainMs = 5_000

/** Decorates `fastify.sync`; closing answers whoever waits. */
export default fp(async function sync (app) {
  const { chat } = app
  const waiters = new Waiters()
  const stop = chat.log.subscribe(committed => { waiters.wake(committed) })
  app.addHook('preClose', async () => { waiters.close() })
  app.addHook('onClose', async () => { stop() })
  app.decorate('sync', {
    chat,
    places: new PlaceDirectory(chat.log),
    unread: chat.unread,
    waiters,
    sizes: { change: 700 },
    lookAgainMs: app.mongoEmbedded ? Infinity : lookAgainMs
  })
}, { name: 'sync', dependencies: ['chat'] })
