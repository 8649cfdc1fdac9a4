import { held } from './lib/benchmark.ts'
import { compare } from './lib/compare.ts'
import { timeOf } from './lib/database.ts'
import { nothingNewByCursor, nothingNewByTime } from './lib/sync-requests.ts'
import { syncBenchmark } from './lib/sync-setting.ts'

/** `POST /api/messages/sync-conversation` without changes: the most frequent request of idle clients. */
export const poll = syncBenchmark(async ({ url, views, messages, tidelog, fastify, driver }, pace) => {
  const end = timeOf(messages)
  const requests = await nothingNewByTime(url, views, end)
  return held(await compare('sync-conversation, nothing new', 'requests', [
    tidelog('by time', requests),
    tidelog('by cursor', await nothingNewByCursor(url, views, end)),
    await fastify(requests),
    driver('one findOne by _id', { loop: 'head' })
  ], pace), '≥ 10,000 requests/s and ≥ 0.5× plain Fastify',
  ({ lines }) => lines[0]!.perSecond >= 10_000 && lines[2]!.ratio >= 0.5)
})
