import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { MongoClient, ObjectId, Timestamp } from 'mongodb'
import t from 'tap'
import { ConversationLog } from '../../src/log/conversation-log.ts'
import { readCausally } from '../../src/log/read/causal-reads.ts'

const time = new Timestamp({ t: 7, i: 1 })
const cases = [
  ['commits carry the time that their node has seen', { isSoleWriter: false }, time],
  ['those of a sole writer carry none', { isSoleWriter: true }, undefined],
  ['nor do those to a sharded cluster', { isSoleWriter: false, tellsTime: false }, undefined]
] as const

for (const [title, options, expected] of cases) {
  t.test(title, async t => {
    const engine = await startEmbeddedMongo({ inMemory: true })
    const client = await MongoClient.connect(engine.uri, { ignoreUndefined: true })
    t.teardown(async () => {
      await client.close()
      await engine.stop()
    })
    const log = await ConversationLog.open(client, client.db('log'), options)
    readCausally(client)
    const session = client.startSession()
    session.advanceOperationTime(time)
    await session.endSession()
    const times: unknown[] = []
    log.onCommitted(committed => { times.push(committed.time) })
    const row = { _id: new ObjectId(), kind: 'message' as const, senderId: new ObjectId(), message: 'x' }
    const open = { kind: 'common' as const, members: [] }
    await log.commit({ mutations: [{ type: 'append', conversationId: 'common_chat', row, open }] })
    t.same(times, [expected])
  })
}
