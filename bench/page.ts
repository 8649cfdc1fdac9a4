import { held } from './lib/benchmark.ts'
import { compare } from './lib/compare.ts'
import { pagesByCursor, pagesByTime } from './lib/sync-requests.ts'
import { syncBenchmark } from './lib/sync-setting.ts'

/** `POST /api/messages/sync-conversation` that brings a full page of 100 messages. */
export const page = syncBenchmark(async ({ url, views, messages, starts, tidelog, fastify, driver }, pace) => {
  const requests = await pagesByTime(url, views, starts)
  return held(await compare('sync-conversation, a page of 100 messages', 'requests', [
    tidelog('by time', requests),
    tidelog('by cursor', await pagesByCursor(url, views, starts)),
    await fastify(requests),
    driver('one find of 100 rows', { loop: 'page', limit: 100, revMax: messages - 101 })
  ], pace), '≥ 1,500 requests/s', ({ lines }) => lines[0]!.perSecond >= 1_500)
})
