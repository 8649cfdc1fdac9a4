import { held } from './lib/benchmark.ts'
import { compare } from './lib/compare.ts'
import { status as statusRequests } from './lib/sync-requests.ts'
import { syncBenchmark } from './lib/sync-setting.ts'

/** `GET /api/messages/sync-status` of users with eight conversations. */
export const status = syncBenchmark(async ({ persons, tidelog, fastify, driver }, pace) => {
  const requests = statusRequests(persons)
  return held(await compare('sync-status', 'requests', [
    tidelog('nothing new', requests),
    await fastify(requests),
    driver('one findOne by _id', { loop: 'head' })
  ], pace), '≥ 0.25× plain Fastify', ({ lines }) => lines[1]!.ratio >= 0.25)
})
