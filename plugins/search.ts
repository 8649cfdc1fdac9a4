import fp from 'fastify-plugin'
import type { ObjectId } from 'mongodb'
import type { Config } from '../src/config.ts'
import { Follower } from '../src/log/follower.ts'
import { positionCollection } from '../src/log/positions.ts'
import { ensureSearchIndex, searchCollection, searchFollower } from '../src/search/collections.ts'
import type { SearchContext } from '../src/search/context.ts'
import { forgetDeletedRooms, forgetMessages, forgetPurged, indexMessages } from '../src/search/index-messages.ts'
import { searchBounds } from '../src/search/postings.ts'
import { Turns } from '../src/search/turns.ts'

declare module 'fastify' {
  interface FastifyInstance {
    messageSearch: SearchContext & {
      /** Removes messages from the index. To be called before their rows are deleted or emptied. */
      forget: (ids: ObjectId[]) => Promise<void>
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
  const index = searchCollection(db!)
  let follower: Follower | undefined
  if (SEARCH === 'on') {
    await ensureSearchIndex(index)
    follower = new Follower(chat.log, positionCollection(db!), {
      name: searchFollower,
      handle: async followed => {
        await indexMessages(index, followed)
        const heads = await chat.log.heads(followed.map(({ head }) => head._id))
        const now = followed.map(one => ({ ...one, head: heads.get(one.head._id) ?? one.head }))
        await forgetPurged(index, now)
        await forgetDeletedRooms(index, chat.log.collections, now)
      },
      onError: (error: unknown) => { app.log.warn({ err: error }, 'the index of words is behind') }
    })
  }
  app.decorate('messageSearch', {
    chat,
    index,
    follower,
    turns: new Turns(turns),
    bounds: { ...searchBounds, rowsMax, charsMax },
    countSearch: userId => { app.limiters.search.consume(userId) },
    forget: ids => forgetMessages(index, ids)
  })
  app.addHook('onClose', () => follower?.close())
}, { name: 'search', dependencies: ['mongodb', 'chat', 'rate-limit'] })
