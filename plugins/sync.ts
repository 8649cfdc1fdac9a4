import fp from 'fastify-plugin'
import type { SyncContext } from '../src/sync/context.ts'
import { UserConversationDirectory } from '../src/sync/user-conversations.ts'
import { LongPolls } from '../src/sync/waiters.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The context of the sync over all conversations. */
    sync: SyncContext
  }
}

/** Milliseconds between two reads by a waiting call, if other processes write to the database too. */
const pollMs = 5_000

/** Decorates `fastify.sync`; closing answers all waiting calls. */
export default fp(async function sync (app) {
  const { chat, nodes } = app
  const longPolls = new LongPolls({ channels: nodes.channels })
  const stop = chat.log.onCommitted(committed => { longPolls.wake(committed) })
  nodes.onUp(() => { longPolls.wakeAll() })
  app.addHook('preClose', async () => { longPolls.close() })
  app.addHook('onClose', async () => { stop() })
  app.decorate('sync', {
    chat,
    conversations: new UserConversationDirectory(chat.log, chat.memberships),
    unread: chat.unread,
    longPolls,
    averageBytes: { change: 700 },
    counts: { responses: 0, changes: 0, resets: 0, bytes: 0 },
    pollMs: app.isSoleWriter ? Infinity : pollMs
  })
}, { name: 'sync', dependencies: ['chat', 'nodes'] })
