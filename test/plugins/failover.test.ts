import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import t from 'tap'
import { examine } from '../../src/doctor/index.ts'
import { startApp } from '../helpers/app.ts'
import type { Answer } from '../helpers/request.ts'
import { startDatabaseProxy } from '../helpers/tcp-proxy.ts'

const engine = await startEmbeddedMongo({ inMemory: true, port: 0 })
t.teardown(() => engine.stop())
const cuts = { request: 0, reply: 0 }
let commits = 0
/**
 * Where the next commit is cut off: before it reaches the database, or before its reply reaches the driver. Runs of
 * cuts are longer than the driver's own retries, and commits in between pass.
 */
const nextCut = () => {
  const step = commits++ % 24
  return step < 3 || step >= 15 ? undefined : step % 3 === 0 ? 'request' : 'reply'
}
const proxy = await startDatabaseProxy(t, engine.uri, () => {
  let losesReply = false
  return {
    up: (chunk, write, end) => {
      const cut = chunk.includes('commitTransaction') ? nextCut() : undefined
      if (cut !== undefined) cuts[cut]++
      losesReply ||= cut === 'reply'
      if (cut === 'request') end()
      else write(chunk)
    },
    down: (chunk, write, end) => {
      if (losesReply) end()
      else write(chunk)
    }
  }
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
  t.ok(cuts.request > 0 && cuts.reply > 0, JSON.stringify(cuts))
  const { retries } = app.chat.log.commitCounts
  t.ok(retries.unknown + retries.unreachable + retries.transient > 0, JSON.stringify(retries))

  const rows = await app.chat.log.collections.rows.find({ kind: 'message' }).sort({ seq: 1 }).toArray()
  t.strictSame(rows.map(({ clientMessageId }) => clientMessageId).sort(), ids.sort(), 'each once')
  t.strictSame(rows.map(({ seq }) => seq), ids.map((_, index) => index + 1), 'without gaps')
  const defects: string[] = []
  await examine(app.mongo.client, app.mongo.db!, { repair: false, onDefect: ({ code }) => { defects.push(code) } })
  t.strictSame(defects, [])
})
