import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import t from 'tap'
import { examine } from '../../src/doctor/index.ts'
import { type Answer, startApp } from '../helpers/app.ts'
import { cuttingProxy } from '../helpers/cutting-proxy.ts'

const engine = await startEmbeddedMongo({ inMemory: true, port: 0 })
t.teardown(() => engine.stop())
// Runs of cuts that are longer than the driver's own retries, and commits in between that pass.
const proxy = await cuttingProxy(t, engine.uri, commit => {
  const step = commit % 24
  return step < 3 || step >= 15 ? undefined : step % 3 === 0 ? 'request' : 'reply'
})
// Without search: only the log's own commits are cut.
const { app, call, register } = await startApp(t, {
  MONGODB_URL: proxy.url, JWT_SECRET: 'a secret of this test', SEARCH: 'off'
})

t.test('the driver uses majority reads and writes, retries, and gives up before an answer times out', async t => {
  const { options } = app.mongo.client
  t.match(options, {
    retryWrites: true,
    retryReads: true,
    maxPoolSize: 100,
    waitQueueTimeoutMS: 4_000,
    socketTimeoutMS: 4_000,
    connectTimeoutMS: 4_000,
    serverSelectionTimeoutMS: 4_500
  })
  t.match(options.writeConcern, { w: 'majority', journal: true })
  t.equal(options.readConcern?.level, 'majority')
  t.equal(options.readPreference.mode, 'primary')
})

t.test('a failover during commits loses no message and stores none twice', async t => {
  const [ann, bob] = [await register('ann'), await register('bob')]
  const ids = Array.from({ length: 60 }, (_, number) => `message-${number}`)
  const send = async (clientMessageId: string): Promise<Answer> => {
    for (;;) {
      const body = { receiverId: bob.id, content: clientMessageId, clientMessageId }
      const answer = await call('POST', '/api/messages', { token: ann.token, body })
      if (answer.status !== 503) return answer
    }
  }
  const waiting = [...ids]
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      t.match(await send(id), { body: { success: true } })
    }
  }
  await Promise.all(Array.from({ length: 6 }, work))
  const { request, reply } = proxy.cuts
  t.ok(request > 0 && reply > 0, `cut ${request} requests and ${reply} replies`)
  const { retries } = app.chat.log.commitCounts
  t.ok(retries.unknown + retries.unreachable + retries.transient > 0, JSON.stringify(retries))

  const rows = await app.chat.log.collections.rows.find({ kind: 'message' }).sort({ seq: 1 }).toArray()
  t.strictSame(rows.map(({ clientMessageId }) => clientMessageId).sort(), ids.sort(), 'each once')
  t.strictSame(rows.map(({ seq }) => seq), ids.map((_, index) => index + 1), 'without gaps')
  const defects: string[] = []
  await examine(app.mongo.client, app.mongo.db!, { repair: false, onDefect: ({ code }) => { defects.push(code) } })
  t.strictSame(defects, [])
})
