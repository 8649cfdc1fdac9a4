import { held } from './lib/benchmark.ts'
import { compare } from './lib/compare.ts'
import { timeOf } from './lib/database.ts'
import { pagesByCursor, pagesByTime } from './lib/sync-requests.ts'
import { syncBenchmark } from './lib/sync-setting.ts'

const messages = 1_600
/** The pages that begin here do not overlap, so a cache of the page that was read last never has the next one. */
const starts = Array.from({ length: 14 }, (_, index) => index * 107)

/** `POST /api/messages/sync-conversation` that brings a full page of 100 messages. */
export const page = syncBenchmark(async ({ url, views, tidelog, fastify, driver }, pace) => {
  // Requests for the same conversation are far apart in this list, and so in time.
  const anywhere = starts.flatMap(start => views.map(view => ({ ...view, after: timeOf(start) })))
  const newest = views.map(view => ({ ...view, after: timeOf(messages - 100) }))
  const requests = await pagesByTime(url, anywhere)
  return held(await compare('sync-conversation, a page of 100 messages', 'requests', [
    tidelog('by time, from 14 places of each conversation', requests),
    tidelog('by cursor, the same', await pagesByCursor(url, anywhere)),
    tidelog('by time, the newest 100 only', await pagesByTime(url, newest)),
    await fastify(requests),
    driver('one find of 100 rows', { loop: 'page', limit: 100, revMax: messages - 101 })
  ], pace), '≥ 1,500 requests/s', ({ lines }) => lines[0]!.perSecond >= 1_500)
}, { neighbours: 1, messages })
