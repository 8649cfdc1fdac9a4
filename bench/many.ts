import { join } from 'node:path'
import { type Benchmark, held } from './lib/benchmark.ts'
import { compare } from './lib/compare.ts'
import { type History, addHistories, addUsers, withDatabase } from './lib/database.ts'
import { type Request, ask, post } from './lib/http-load.ts'
import { type Person, people } from './lib/people.ts'
import { startProduct } from './lib/process.ts'
import { oneAtATime } from './lib/statistics.ts'
import { nothingNewOfAll } from './lib/sync-requests.ts'

const conversations = 5_000
const changed = 10

/** `POST /api/sync` of a user with 5,000 conversations of which 10 have changed, one request at a time. */
export const many: Benchmark = async function * ({ folder, pace, profileDir }) {
  const persons = people(conversations + 1)
  const [self, ...others] = persons as [Person, ...Person[]]
  const dataDir = join(folder, 'product')
  await withDatabase(dataDir, async db => {
    await addUsers(db, persons)
    await addHistories(db, others.map((b): History => ({ a: self, b, messages: 3 })))
  })
  const product = await startProduct(dataDir, { profileDir })
  try {
    const [request] = await nothingNewOfAll(product.url, [self])
    for (const { token } of others.slice(0, changed)) await ask(product.url, post(token, '/api/messages', { receiverId: self.id, content: 'News' }))
    const check = () => expectChanged(product.url, request!)
    await check()
    yield held(await compare(`Sync of ${conversations.toLocaleString('en')} conversations of which ${changed} have changed`, 'requests', [
      { name: 'Tidelog: POST /api/sync, one at a time', pid: product.pid, run: seconds => oneAtATime(seconds, check) }
    ], pace), 'p50 ≤ 100 ms', ({ lines }) => (lines[0]!.latency?.p50 ?? Infinity) <= 100)
  } finally {
    await product.stop()
  }
}

async function expectChanged (url: string, request: Request): Promise<void> {
  const answer = await ask<{ conversations: unknown[] }>(url, request)
  if (answer.conversations.length !== changed) throw new Error(`${answer.conversations.length} conversations changed, not ${changed}`)
}
