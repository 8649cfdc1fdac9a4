import { held } from './lib/benchmark.ts'
import { type Contestant, compare } from './lib/compare.ts'
import type { Request } from './lib/http-load.ts'
import { socketLoad } from './lib/socket-load.ts'
import { connectAll, disconnectAll } from './lib/sockets.ts'
import { catchingUp } from './lib/sync-requests.ts'
import { syncBenchmark } from './lib/sync-setting.ts'

const messages = 10_000

/** Catching up page by page, by `POST /api/sync` and by the event `sync`: clients that missed 10,000 messages. */
export const catchUp = syncBenchmark(async ({ url, views, tidelog, fastify, driver }, pace) => {
  const all: Request[][] = []
  for (const view of views) all.push(await catchingUp(url, view, messages))
  const pages = all[0]!.length
  const everywhere = all.flat()
  const same = all.slice(0, 1).flat()
  const floor = await fastify(everywhere)
  const sockets = await connectAll(url, views.map(({ self }) => self))
  const clients = sockets.map((socket, index) => ({ socket, requests: all[index]! }))
  const bySocket = tidelog('ten conversations in turn, by the event `sync`', everywhere)
  const title = `Catch-up of ${messages.toLocaleString('en')} messages, in ${pages} pages`
  const comparison = await compare(title, 'messages', [
    counting(tidelog('the same conversation for all', same), messages / pages),
    counting(tidelog('ten conversations in turn', everywhere), messages / pages),
    counting({ ...bySocket, run: seconds => socketLoad(clients, 'sync', seconds) }, messages / pages),
    counting(floor, messages / pages),
    counting(driver('one find of 400 rows', { loop: 'page', limit: 400, revMax: messages - 401 }), 400)
  ], pace)
  disconnectAll(sockets)
  return held(comparison, '≥ 100,000 messages/s', ({ lines }) => lines[0]!.perSecond >= 100_000)

  function counting ({ run, ...contestant }: Contestant, each: number): Contestant {
    return {
      ...contestant,
      run: async seconds => {
        const sample = await run(seconds)
        return { ...sample, operations: Math.round(sample.operations * each) }
      }
    }
  }
}, { users: 20, neighbours: 1, messages })
