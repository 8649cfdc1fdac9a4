import fp from 'fastify-plugin'
import type { Config } from '../src/config.ts'
import { Follower } from '../src/log/follower.ts'
import { positionCollection } from '../src/log/positions.ts'
import type { Seq } from '../src/log/model/types.ts'
import { searchBounds } from '../src/search/candidates.ts'
import { Chunks } from '../src/search/chunks.ts'
import { ensureSearchIndex, searchIndex, searchName } from '../src/search/collections.ts'
import type { SearchContext } from '../src/search/context.ts'
import { Directories } from '../src/search/directories.ts'
import { forgetMessages, indexFollowed } from '../src/search/index-messages.ts'
import { Turns } from '../src/search/turns.ts'

declare module 'fastify' {
  interface FastifyInstance {
    messageSearch: SearchContext & {
      /** Removes purged messages from the index. To be called before their rows are deleted. */
      forget: (conversationId: string, purgedSeq: Seq) => Promise<void>
    }
  }
}

/** Rows that one search reads, beside the index. */
const rowsMax = 2_000
/** Searches at a time in this process, and those that may wait. */
const turns = { atOnce: 2, waitingMax: 100 }

/** Keeps the index of words behind the log, and decorates `fastify.messageSearch`. */
export default fp(async function search (app, { SEARCH, SEARCH_CHARS_MAX: charsMax }: Config) {
  const { chat, mongo: { db } } = app
  const index = searchIndex(db!)
  let follower: Follower | undefined
  if (SEARCH === 'on') {
    await ensureSearchIndex(db!)
    follower = new Follower(chat.log, positionCollection(db!), {
      name: searchName,
      handle: followed => indexFollowed(index, chat.log, followed),
      onError: (error: unknown) => { app.log.warn({ err: error }, 'the index of words is behind') }
    })
  }
  app.decorate('messageSearch', {
    chat,
    directories: new Directories(index),
    chunks: new Chunks(index),
    follower,
    turns: new Turns(turns),
    bounds: { ...searchBounds, rowsMax, charsMax },
    countSearch: userId => { app.limiters.search.consume(userId) },
    forget: (conversationId, purgedSeq) => forgetMessages(index, conversationId, purgedSeq)
  })
  app.addHook('onClose', () => follower?.close())
}, { name: 'search', dependencies: ['mongodb', 'chat', 'rate-limit'] })
