import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Message } from '../src/schemas/message.ts'
import { reindex } from '../src/search/reindex.ts'
import { type Benchmark, held } from './lib/benchmark.ts'
import { type Comparison, type Pace, compare } from './lib/compare.ts'
import { cpuOf } from './lib/cpu.ts'
import { type History, addHistories, addUsers, withDatabase } from './lib/database.ts'
import { DirectLoad } from './lib/direct-load.ts'
import { type Request, ask, get } from './lib/http-load.ts'
import { type Person, people } from './lib/people.ts'
import { startProduct } from './lib/process.ts'
import { latencyOf, oneAtATime } from './lib/statistics.ts'

const conversations = 200
/** Pairs of others who send while the user searches, or while the index is built. */
const pairs = 25
const metricsToken = 'a-token-of-the-benchmark'

/** Words by how often they come: word 1 in every second message, word n in one of 2n. */
const wordCount = 20_000
const syllables = ['ka', 'lo', 'mi', 'ne', 'ru', 'sta', 'ti', 'vo', 'we', 'xan', 'bri', 'do', 'fu', 'gel', 'ho']
const others = ['東京都の天気', '京都へ行きました', '今日は良い天気', 'مرحبا بالعالم', 'القاهرة مدينة كبيرة', 'صباح الخير']

function wordOf (rank: number): string {
  let word = ''
  for (let rest = rank + 15; rest > 0; rest = Math.floor(rest / 15)) word += syllables[rest % 15]!
  return word
}

/** A fixed sequence of numbers in [0, 1), so that each run has the same texts. */
function randomFrom (seed: number): () => number {
  let state = seed
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32
  }
}

const random = randomFrom(16)
/** Ranks as they come in languages: the n-th word 1/n times as often as the first. */
const rank = () => Math.min(wordCount, Math.floor(wordCount ** random()))

let made = 0

/** About as long as a message of a chat: 12 words, one of 20 in another script, one of 30 with a link. */
function textOf (): string {
  const number = made++

  const words = Array.from({ length: 4 + Math.floor(random() * 16) }, () => wordOf(rank()))
  if (random() < 0.05) words.push(others[Math.floor(random() * others.length)]!)
  if (random() < 0.03) words.push(`https://example.org/${number}`)
  words.push(`id${number}`)
  return words.join(' ')
}

/** 200 queries: unique, rare and common words, two words, phrases, beginnings, filters, Chinese and Arabic letters. */
function queriesOf (messages: number, [, other]: readonly Person[]): string[] {
  const enc = encodeURIComponent
  const kinds: Array<(index: number) => string> = [
    index => `q=id${index * 991 % messages}`,
    index => `q=${wordOf(wordCount - index * 7)}`,
    index => `q=${wordOf(1 + index)}`,
    index => `q=${wordOf(40 + index)}%20${wordOf(300 + index)}`,
    index => `q=%22${wordOf(1 + index % 3)}%20${wordOf(2 + index % 5)}%22`,
    index => `q=${wordOf(500 + index * 11).slice(0, 4)}`,
    index => `q=${wordOf(20 + index)}&from=${other!.id}`,
    index => `q=${wordOf(5 + index)}&has=link`,
    index => `q=${enc(['京都', '天気', '東京都', '京', '行きました'][index % 5]!)}`,
    index => `q=${enc(['مرحبا', 'القاهرة', 'صباح الخير', 'العالم'][index % 4]!)}`
  ]
  return Array.from({ length: 200 }, (_, index) => kinds[index % kinds.length]!(Math.floor(index / kinds.length)))
}

/** The search of a user with 200 conversations; the index that it needs; what both cost those who send. */
export const search: Benchmark = async function * ({ folder, pace, quick, profileDir }) {
  const messages = quick ? 20_000 : Number(process.env['SEARCH_MESSAGES'] ?? 1_000_000)
  const persons = people(1 + conversations + 2 * pairs)
  const [self] = persons as [Person, ...Person[]]
  const dataDir = join(folder, 'search')
  await withDatabase(dataDir, async db => {
    await addUsers(db, persons)
    const histories = persons.slice(1, 1 + conversations)
      .map((b): History => ({ a: self, b, messages: messages / conversations, textOf }))
    await addHistories(db, histories)
  })
  const environment = { METRICS_TOKEN: metricsToken, SEARCH_CHARS_MAX: '500000' }
  await buildAlone(dataDir, messages, { profileDir, environment })
  await withDatabase(dataDir, reindex)

  const product = await startProduct(dataDir, { profileDir, environment: { ...environment, SEARCH: 'off' } })
  const load = await DirectLoad.open(product.url, pairs)
  const alone = await load.closedLoop(pairs, pace.seconds * 3)
  load.close()
  await product.stop()

  const indexing = await startProduct(dataDir, { profileDir, environment })
  try {
    const sending = await DirectLoad.open(indexing.url, pairs)
    const during = await sending.closedLoop(pairs, pace.seconds * 3)
    const [without, withIndex] = [alone, during].map(({ operations, seconds }) => (operations / seconds).toFixed(0))
    const left = await waitingOf(indexing.url)
    console.log(`Sends while the index is built: ${withIndex} a second, ${without} without an index ` +
      `(${left} conversations were left then).\n`)
    sending.close()
    while (await waitingOf(indexing.url) > 0) await delay(100)
    yield * searches(indexing, self, queriesOf(messages, persons), pace)
  } finally {
    await indexing.stop()
  }
}

/** Builds the index while nobody does anything else. */
async function buildAlone (
  dataDir: string, messages: number, options: Parameters<typeof startProduct>[1]
): Promise<void> {
  const logBytes = bytesOf(dataDir)
  const product = await startProduct(dataDir, options)
  const before = cpuOf(product.pid)
  const began = performance.now()
  while (await waitingOf(product.url) > 0) await delay(100)
  const seconds = (performance.now() - began) / 1_000
  const micros = (cpuOf(product.pid).all - before.all) / messages
  await product.stop()
  const [log, index] = [logBytes, bytesOf(dataDir) - logBytes]
  console.log(`The index of ${messages.toLocaleString('en')} messages was complete after ${seconds.toFixed(1)} s: ` +
    `${(messages / seconds).toFixed(0)} a second, ${micros.toFixed(0)} µs of CPU each. It takes ` +
    `${(index / 1e6).toFixed(0)} MB, the messages ${(log / 1e6).toFixed(0)} MB.\n`)
}

async function * searches (
  { url, pid }: { url: string, pid: number }, self: Person, queries: readonly string[], pace: Pace
): AsyncGenerator<Comparison> {
  const requests = queries.map(query => get(self.token, `/api/messages/search?${query}`))
  const slow: Array<[number, string]> = []
  for (const [index, request] of requests.entries()) {
    const sent = performance.now()
    await first(url, request)
    slow.push([performance.now() - sent, queries[index]!])
  }
  slow.sort(([a], [b]) => b - a)
  const { p50, p99 } = latencyOf(slow.map(([ms]) => ms))
  console.log(`Each for the first time: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(0)} ms. ` +
    `The slowest: ${slow.slice(0, 5).map(([ms, query]) => `${query} ${ms.toFixed(0)} ms`).join(', ')}\n`)
  // All 200 at least once, however long it takes.
  const inTurn = (seconds: number) =>
    oneAtATime(seconds, number => first(url, requests[number % requests.length]!), requests.length)
  yield held(await compare('Searches of one user, one at a time', 'searches', [
    { name: 'Tidelog: a mix of 200 queries', pid, run: inTurn }
  ], pace), 'p50 ≤ 15 ms, p99 ≤ 150 ms', ({ lines: [line] }) => line!.latency!.p50 <= 15 && line!.latency!.p99 <= 150)

  const load = await DirectLoad.open(url, pairs)
  const sends = (seconds: number) => load.closedLoop(pairs, seconds)
  const withSearches = async (seconds: number) => {
    const end = new AbortController()
    const searching = Promise.all(Array.from({ length: 8 }, async (_, client) => {
      for (let next = client * 25; !end.signal.aborted; next++) await first(url, requests[next % requests.length]!)
    }))
    const result = await sends(seconds)
    end.abort()
    await searching
    return result
  }
  yield held(await compare('Direct messages of others, while eight search', 'messages', [
    { name: 'Tidelog: nobody searches', pid, run: sends },
    { name: 'Tidelog: eight search without a pause', pid, run: withSearches }
  ], pace), 'eight searches cost at most 20 %', ({ lines: [, line] }) => line!.ratio <= 1.25)
  load.close()
}

async function first (url: string, request: Request): Promise<Message[]> {
  return (await ask<{ messages: Message[] }>(url, request)).messages
}

/** Conversations that the follower of the index has not handled. */
async function waitingOf (url: string): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } })
  return Number(/^tidelog_search_waiting (\d+)/m.exec(await response.text())?.[1] ?? NaN)
}

/** What the database takes on the disk. */
function bytesOf (dataDir: string): number {
  return statSync(join(dataDir, 'data.mdb')).blocks * 512
}
