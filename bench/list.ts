import { join } from 'node:path'
import { type Benchmark, held } from './lib/benchmark.ts'
import { compare } from './lib/compare.ts'
import { type History, addHistories, addUsers, withDatabase } from './lib/database.ts'
import { type Request, ask, get, post } from './lib/http-load.ts'
import { type Person, people } from './lib/people.ts'
import { startProduct } from './lib/process.ts'
import { oneAtATime } from './lib/statistics.ts'
import { syncBenchmark } from './lib/sync-setting.ts'

const path = '/api/conversations?limit=50'

interface ListAnswer { conversations: Array<{ conversationId: string, cursor: string, lastMessage: object | null }> }

const fifty = syncBenchmark(async ({ url, persons, tidelog, fastify, driver }, pace) => {
  const requests = persons.map(({ token }) => get(token, path))
  for (const request of requests) expectFull(await ask<ListAnswer>(url, request))
  return held(await compare('The list of 50 conversations, nothing new', 'requests', [
    tidelog('GET /api/conversations', requests),
    await fastify(requests),
    driver('one findOne by _id', { loop: 'head' })
  ], pace), '≤ 300 µs of CPU each', ({ lines }) => lines[0]!.cpu.all <= 300)
}, { users: 60, neighbours: 25, messages: 20 })

const conversations = 20_000
const changed = 10

/** The first requests of a new device, and later ones of the same user. */
const manyConversations: Benchmark = async function * ({ folder, pace, quick, profileDir }) {
  const count = quick ? conversations / 10 : conversations
  const persons = people(count + 1)
  const [self, ...others] = persons as [Person, ...Person[]]
  const dataDir = join(folder, 'many')
  await withDatabase(dataDir, async db => {
    await addUsers(db, persons)
    await addHistories(db, others.map((b): History => ({ a: self, b, messages: 3 })))
  })
  const product = await startProduct(dataDir, { profileDir })
  const inTurn = (request: Request, check: (answer: ListAnswer) => void) => (seconds: number) =>
    oneAtATime(seconds, async () => { check(await askCompressed(product.url, request)) })
  try {
    const first = performance.now()
    const { conversations: listed } = await askCompressed(product.url, get(self.token, path))
    const took = (performance.now() - first).toFixed(0)
    console.log(`The first list of ${count.toLocaleString('en')} conversations after the start took ${took} ms.\n`)
    const news = { receiverId: self.id, content: 'News' }
    for (const { token } of others.slice(0, changed)) await ask(product.url, post(token, '/api/messages', news))
    const cursors = Object.fromEntries(listed.map(({ conversationId, cursor }) => [conversationId, cursor]))
    yield held(await compare(`A user with ${count.toLocaleString('en')} conversations, compressed`, 'requests', [
      {
        name: 'Tidelog: the newest 50, one request at a time',
        pid: product.pid,
        run: inTurn(get(self.token, path), expectFull)
      },
      {
        name: 'Tidelog: POST /api/sync {only} of 50, nothing new',
        pid: product.pid,
        run: inTurn(post(self.token, '/api/sync', { only: true, cursors }), () => {})
      }
    ], pace), 'p50 ≤ 100 ms', ({ lines }) => lines.every(({ latency }) => (latency?.p50 ?? Infinity) <= 100))
  } finally {
    await product.stop()
  }
}

/** `GET /api/conversations` of a user with 50 conversations, and of one with 20,000. */
export const list: Benchmark = async function * (setting) {
  yield * fifty(setting)
  yield * manyConversations(setting)
}

function expectFull ({ conversations }: ListAnswer): void {
  if (conversations.length !== 50 || conversations.some(({ lastMessage }) => lastMessage === null)) {
    throw new Error(`The list has ${conversations.length} conversations, not 50 with their last messages`)
  }
}

/** Like `ask`, for a client that accepts brotli. */
async function askCompressed (url: string, request: Request): Promise<ListAnswer> {
  return await ask<ListAnswer>(url, { ...request, headers: { ...request.headers, 'accept-encoding': 'br' } })
}
