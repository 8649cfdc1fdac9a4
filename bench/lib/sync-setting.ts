import { join } from 'node:path'
import type { Question } from '../floors/driver.ts'
import type { Benchmark, Setting } from './benchmark.ts'
import type { Comparison, Contestant } from './compare.ts'
import { type History, addHistories, addUsers, copyDatabase, withDatabase } from './database.ts'
import { type Request, ask, httpLoad } from './http-load.ts'
import { type Person, directId, people } from './people.ts'
import { startFloor, startProduct } from './process.ts'
import type { View } from './sync-requests.ts'

const inFlight = 50

interface Data {
  users?: number
  /** Each user has a conversation with this many next users, and so with as many previous ones. */
  neighbours: number
  /** Messages in each conversation. */
  messages: number
}

/** Users with conversations among each other, and the servers that store them. */
export interface SyncSetting {
  /** The product's URL. */
  url: string
  persons: Person[]
  views: View[]
  /** Messages in each conversation. */
  messages: number
  tidelog: (name: string, requests: readonly Request[], status?: number) => Contestant
  /** A plain Fastify server that parses these requests and always returns the product's response to the first. */
  fastify: (requests: readonly Request[]) => Promise<Contestant>
  driver: (name: string, question: Omit<Question, 'inFlight' | 'seconds'>) => Contestant
}

/** A benchmark that is one comparison in this setting. */
export function syncBenchmark (
  measure: (setting: SyncSetting, pace: Setting['pace']) => Promise<Comparison>,
  { users = 50, neighbours, messages }: Data = { neighbours: 4, messages: 200 }
): Benchmark {
  return async function * ({ folder, pace, profileDir }) {
    const persons = people(users)
    const histories = persons.flatMap((a, index): History[] =>
      Array.from({ length: neighbours }, (_, step) => ({ a, b: persons[(index + step + 1) % users]!, messages })))
    const conversations = histories.map(({ a, b }) => directId(a, b))
    const dataDir = join(folder, 'product')
    await withDatabase(dataDir, async db => {
      await addUsers(db, persons)
      await addHistories(db, histories)
    })
    await copyDatabase(dataDir, join(folder, 'floor'))
    // Without search: its index of these messages would be built meanwhile.
    const product = await startProduct(dataDir, { profileDir, environment: { SEARCH: 'off' } })
    const httpFloor = await startFloor('http')
    const driverFloor = await startFloor('driver', { DATA_DIR: join(folder, 'floor') })
    try {
      yield await measure({
        url: product.url,
        persons,
        views: histories.flatMap(({ a, b }): View[] => [{ self: a, other: b }, { self: b, other: a }]),
        messages,
        tidelog: (name, requests, status) => ({ name: `Tidelog: ${name}`, pid: product.pid, run: seconds => httpLoad(product.url, requests, seconds, status) }),
        fastify: async requests => {
          await httpFloor.ask({ answers: { same: await ask(product.url, requests[0]!) } })
          const same = requests.map(request => ({ ...request, path: '/same' }))
          return { name: 'plain Fastify, the same JSON', pid: httpFloor.pid, run: seconds => httpLoad(httpFloor.url, same, seconds) }
        },
        driver: (name, question) => ({
          name: `plain driver, ${name}`,
          pid: driverFloor.pid,
          run: seconds => driverFloor.ask({ ...question, conversations, inFlight, seconds } satisfies Question)
        })
      }, pace)
    } finally {
      for (const server of [product, httpFloor, driverFloor]) await server.stop()
    }
  }
}
