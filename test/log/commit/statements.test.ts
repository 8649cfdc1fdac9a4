import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { MongoClient, MongoServerError, ObjectId } from 'mongodb'
import t from 'tap'
import type { Plan } from '../../../src/log/commit/plan.ts'
import { type SendStatements, bulkSender, sendByCollection } from '../../../src/log/commit/statements.ts'
import { type TransactionResult, commitPlan } from '../../../src/log/commit/transaction.ts'
import { type LogCollections, ensureLogIndexes, logCollections } from '../../../src/log/model/collections.ts'
import { type Head, type LogRow, type Member, revOf, seqOf } from '../../../src/log/model/types.ts'

const engine = await startEmbeddedMongo({ inMemory: true })
const client = await new MongoClient(engine.uri, { ignoreUndefined: true, monitorCommands: true }).connect()
t.teardown(async () => {
  await client.close()
  await engine.stop()
})
let databases = 0

const sender = new ObjectId()
const headAt = (rev: number) => ({
  _id: 'dm', kind: 'direct', headRev: revOf(rev), headSeq: seqOf(rev), clock: new Date(rev)
}) as unknown as Head
const rowAt = (rev: number, clientMessageId: string, _id = new ObjectId()) => ({
  _id, conversationId: 'dm', kind: 'message', rev: revOf(rev), seq: seqOf(rev), senderId: sender, clientMessageId
}) as unknown as LogRow

/** A plan that moves the head from one rev to another and adds rows. */
function planOf (from: number | null, to: number, ...added: LogRow[]): Plan {
  const heads = [{ from: from === null ? null : headAt(from), to: headAt(to) }]
  const rows = added.map(row => ({ from: null, to: row }))
  return { outcomes: [], heads, rows, relied: [], members: [], shownReads: [] }
}

async function log (): Promise<LogCollections> {
  const collections = logCollections(client.db(`log${databases++}`))
  await ensureLogIndexes(collections)
  return collections
}

async function commit (
  plan: Plan, collections: LogCollections, send: SendStatements
): Promise<TransactionResult['result']> {
  return await client.withSession(async session => (await commitPlan(plan, collections, session, send)).result)
}

const revsOf = async ({ heads, rows }: LogCollections) => ({
  heads: (await heads.find().toArray()).map(({ headRev }) => headRev),
  rows: (await rows.find().sort({ rev: 1 }).toArray()).map(({ rev }) => rev)
})

const ways = [['one command a collection', sendByCollection], ['one command', bulkSender(client)]] as const
for (const [way, send] of ways) {
  t.test(`${way}: a plan is written whole or not at all, and its end says why`, async t => {
    const collections = await log()
    const stored = rowAt(1, 'one')
    t.equal(await commit(planOf(null, 1, stored), collections, send), 'committed')
    t.equal(await commit(planOf(null, 1, rowAt(1, 'two')), collections, send), 'conflict', 'another node has opened it')
    t.equal(await commit(planOf(1, 2, rowAt(2, 'two')), collections, send), 'committed')
    t.equal(await commit(planOf(1, 2, rowAt(2, 'three')), collections, send), 'conflict', 'the head has moved')
    t.equal(await commit(planOf(1, 4, rowAt(4, 'four')), collections, send), 'conflict', 'and no row stands in the way')
    t.equal(await commit(planOf(1, 4, rowAt(4, 'one')), collections, send), 'conflict', 'before a duplicate')
    t.equal(await commit(planOf(2, 3, rowAt(3, 'one')), collections, send), 'duplicateKey', 'the client id is stored')
    const again = planOf(2, 3, rowAt(3, 'x', stored._id))
    t.equal(await commit(again, collections, send), 'duplicateKey', 'the row is stored')
    t.equal(await commit(planOf(2, 3, rowAt(2, 'five')), collections, send), 'conflict', 'the rev is taken')
    const revised = { from: rowAt(2, 'one', stored._id), to: rowAt(3, 'one', stored._id) }
    const edit: Plan = { ...planOf(2, 3), rows: [revised] }
    t.equal(await commit(edit, collections, send), 'conflict', 'the row has changed')
    t.same(await revsOf(collections), { heads: [2], rows: [1, 2] })
    t.equal(await commit(planOf(2, 4, rowAt(3, 'three'), rowAt(4, 'four')), collections, send), 'committed')
    t.same(await revsOf(collections), { heads: [4], rows: [1, 2, 3, 4] })
  })

  t.test(`${way}: a write conflict, and what the database does not take`, async t => {
    const collections = await log()
    await commit(planOf(null, 1, rowAt(1, 'one')), collections, send)
    await client.withSession(async session => {
      session.startTransaction()
      await collections.heads.updateOne({ _id: 'dm' }, { $set: { clock: new Date(9) } }, { session })
      t.equal(await commit(planOf(1, 2, rowAt(2, 'two')), collections, send), 'transient')
      await session.abortTransaction()
    })
    const big = { ...rowAt(2, 'two'), message: 'x'.repeat(17 << 20) }
    t.equal(await commit(planOf(1, 2, big), collections, send), 'rejected')
    const member = { _id: 'dm', role: 'member' } as unknown as Member
    const unchanged: Plan = { ...planOf(1, 2), members: [{ key: 'dm', from: member, to: member }] }
    t.equal(await commit(unchanged, collections, send), 'rejected', 'an update without operators')
    t.same(await revsOf(collections), { heads: [1], rows: [1] })
  })
}

t.test('a server that refuses bulkWrite is not asked again', async t => {
  for (const code of [59, 115]) {
    const collections = await log()
    let asked = 0
    const refusing = {
      db: () => ({
        command: async () => {
          asked++
          throw new MongoServerError({ message: 'refused', errmsg: 'refused', code })
        }
      })
    } as unknown as MongoClient
    const send = bulkSender(refusing)
    t.equal(await commit(planOf(null, 1, rowAt(1, 'one')), collections, send), 'transient')
    t.equal(await commit(planOf(null, 1, rowAt(1, 'one')), collections, send), 'committed')
    t.equal(await commit(planOf(1, 2, rowAt(2, 'two')), collections, send), 'committed')
    t.equal(asked, 1)
  }
})

t.test('many statements go collection by collection: a command has a largest size', async t => {
  const collections = await log()
  const names: string[] = []
  const note = ({ commandName }: { commandName: string }) => { names.push(commandName) }
  client.on('commandStarted', note)
  const rows = Array.from({ length: 600 }, (_, i) => rowAt(i + 1, `${i}`))
  t.equal(await commit(planOf(null, 600, ...rows), collections, bulkSender(client)), 'committed')
  client.off('commandStarted', note)
  t.same(names, ['insert', 'insert', 'commitTransaction'])
})
