import { held } from './lib/benchmark.ts'
import { compare } from './lib/compare.ts'
import { headsUnchanged, nothingNewOfAll } from './lib/sync-requests.ts'
import { syncBenchmark } from './lib/sync-setting.ts'

/** A sync of all of a user's 200 conversations without changes, and the cheap poll of their heads. */
export const pull = syncBenchmark(async ({ url, persons, tidelog, fastify, driver }, pace) => {
  const some = persons.slice(0, 50)
  const requests = await nothingNewOfAll(url, some)
  return held(await compare('Sync over 200 conversations, nothing new', 'requests', [
    tidelog('POST /api/sync', requests),
    tidelog('GET /api/sync/heads, 304', await headsUnchanged(url, some), 304),
    await fastify(requests),
    driver('one findOne by _id', { loop: 'head' })
  ], pace), '≥ 3,000 syncs/s, ≥ 10,000 heads/s, a sync ≥ 0.5× plain Fastify',
  ({ lines }) => lines[0]!.perSecond >= 3_000 && lines[1]!.perSecond >= 10_000 && lines[2]!.ratio >= 0.5)
}, { users: 201, neighbours: 100, messages: 2 })
