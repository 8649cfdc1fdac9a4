import { join } from 'node:path'
import { type Benchmark, held } from './lib/benchmark.ts'
import { type Contestant, compare } from './lib/compare.ts'
import { type History, addHistories, addUsers, copyDatabase, timeOf, withDatabase } from './lib/database.ts'
import { type Question } from './floors/driver.ts'
import { type Request, ask, httpLoad } from './lib/http-load.ts'
import { directId, people } from './lib/people.ts'
import { type Running, startFloor, startProduct } from './lib/process.ts'
import { type View, headsUnchanged, nothingNewByCursor, nothingNewByTime, nothingNewOfAll, pagesByCursor, pagesByTime, status } from './lib/sync-requests.ts'

const users = 50
const neighbours = 4
const messages = 400
const inFlight = 50

/** Polls and pages of 50 users with 8 conversations each: 200 conversations, 400 points of view. */
export const sync: Benchmark = async function * ({ folder, pace, quick, profileDir }) {
  const persons = people(users)
  const histories = persons.flatMap((a, index): History[] =>
    Array.from({ length: neighbours }, (_, step) => ({ a, b: persons[(index + step + 1) % users]!, messages: quick ? 150 : messages })))
  const views = histories.flatMap(({ a, b }): View[] => [{ self: a, other: b }, { self: b, other: a }])
  const conversations = histories.map(({ a, b }) => directId(a, b))
  const last = histories[0]!.messages
  const dataDir = join(folder, 'sync')
  await withDatabase(dataDir, async db => {
    await addUsers(db, persons)
    await addHistories(db, histories)
  })
  await copyDatabase(dataDir, `${dataDir}-floor`)
  const product = await startProduct(dataDir, { profileDir })
  const httpFloor = await startFloor('http')
  const driverFloor = await startFloor('driver', { DATA_DIR: `${dataDir}-floor` })
  try {
    const end = timeOf(last)
    const starts = Array.from({ length: 20 }, (_, index) => timeOf(Math.floor(index * (last - 102) / 20)))
    const floor = (name: string, requests: readonly Request[]) => fastify(httpFloor, product, name, requests)
    const tidelog = (name: string, requests: readonly Request[], code = 200): Contestant =>
      ({ name: `Tidelog: ${name}`, pid: product.pid, run: seconds => httpLoad(product.url, requests, seconds, code) })
    const driver = (name: string, question: Omit<Question, 'inFlight' | 'seconds'>): Contestant =>
      ({ name: `plain driver, ${name}`, pid: driverFloor.pid, run: seconds => driverFloor.ask({ ...question, conversations, inFlight, seconds } satisfies Question) })

    const polls = await nothingNewByCursor(product.url, views, end)
    yield held(await compare('sync-conversation, nothing new', 'requests', [
      tidelog('by cursor', polls),
      tidelog('by time, as the oldest clients do', await nothingNewByTime(product.url, views, end)),
      await floor('plain Fastify, the same JSON', polls),
      driver('one findOne by _id', { loop: 'head' })
    ], pace), '≥ 10,000 requests/s', ({ lines }) => lines[0]!.perSecond >= 10_000)

    const pages = await pagesByCursor(product.url, views, starts)
    yield held(await compare('sync-conversation, a page of 100 messages', 'requests', [
      tidelog('by cursor', pages),
      tidelog('by time', await pagesByTime(product.url, views, starts)),
      await floor('plain Fastify, the same JSON', pages),
      driver('one find of 100 rows', { loop: 'page', limit: 100, revMax: last - 101 })
    ], pace), '≥ 1,500 requests/s', ({ lines }) => lines[0]!.perSecond >= 1_500)

    const statuses = status(persons)
    yield await compare('sync-status', 'requests', [
      tidelog('nothing new', statuses),
      await floor('plain Fastify, the same JSON', statuses),
      driver('one findOne by _id', { loop: 'head' })
    ], pace)

    const all = await nothingNewOfAll(product.url, persons)
    yield await compare('Sync over all conversations, nothing new', 'requests', [
      tidelog('POST /api/sync', all),
      tidelog('GET /api/sync/heads, 304', await headsUnchanged(product.url, persons), 304),
      await floor('plain Fastify, the same JSON', all)
    ], pace)
  } finally {
    for (const server of [product, httpFloor, driverFloor]) await server.stop()
  }
}

/** A plain Fastify that gives what the product gave: as many bytes, parsed and serialised by the same means. */
async function fastify (floor: Running, product: Running, name: string, requests: readonly Request[]): Promise<Contestant> {
  const key = Math.random().toString(36).slice(2)
  await floor.ask({ answers: { [key]: await ask(product.url, requests[0]!) } })
  const same = requests.map(request => ({ ...request, path: `/${key}` }))
  return { name, pid: floor.pid, run: seconds => httpLoad(floor.url, same, seconds) }
}
