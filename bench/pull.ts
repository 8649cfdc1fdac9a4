import { compare } from './lib/compare.ts'
import { headsUnchanged, nothingNewOfAll } from './lib/sync-requests.ts'
import { syncBenchmark } from './lib/sync-setting.ts'

/** Sync over all of a user's conversations where nothing has changed, and the cheap poll of their heads. */
export const pull = syncBenchmark(async ({ url, persons, tidelog, fastify, driver }, pace) => {
  const requests = await nothingNewOfAll(url, persons)
  return await compare('Sync over all conversations, nothing new', 'requests', [
    tidelog('POST /api/sync', requests),
    tidelog('GET /api/sync/heads, 304', await headsUnchanged(url, persons), 304),
    await fastify(requests),
    driver('one findOne by _id', { loop: 'head' })
  ], pace)
})
