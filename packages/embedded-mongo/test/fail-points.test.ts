import t from 'tap'
import { Binary, Long } from 'bson'
import type { Document } from 'bson'
import { randomBytes } from 'node:crypto'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { startEngine } from './helpers/engine.ts'
import { withFailPoints } from './helpers/fail-points.ts'
import { WireClient } from './helpers/wire-client.ts'

type Test = { teardown: (handler: () => void) => unknown }

const engine = await startEmbeddedMongo({ inMemory: true })
const uri = await withFailPoints(t, engine.uri)
t.teardown(async () => { await engine.stop() })
let databases = 0

/** A database of its own; the fail points are all tests' own, and are off. */
async function start (t: Test) {
  const database = `test${databases++}`
  const open = async () => {
    const wire = await WireClient.open(uri, database)
    t.teardown(() => { wire.close() })
    return wire
  }
  const wire = await open()
  const configure = async (point: string, mode: unknown, data?: Document) => await wire.command({ configureFailPoint: point, mode, ...(data && { data }) }, 'admin')
  const fail = async (mode: unknown, data: Document) => await configure('failCommand', mode, data)
  const items = async () => (await wire.command({ find: 'items' })).cursor.firstBatch as Document[]
  await configure('failCommand', 'off')
  await configure('onPrimaryTransactionalWrite', 'off')
  return { wire, open, configure, fail, items }
}

const newSession = () => ({ lsid: { id: new Binary(randomBytes(16), Binary.SUBTYPE_UUID) }, txnNumber: Long.fromNumber(1) })
const outcome = ({ ok, code, codeName, errorLabels }: Document) => [ok, code, codeName, errorLabels]
const insert = (_id: number) => ({ insert: 'items', documents: [{ _id }] })

t.test('the engine has no fail points unless they are enabled', async t => {
  const { db } = await startEngine(t)
  await t.rejects(db.admin().command({ configureFailPoint: 'failCommand', mode: 'off' }), { code: 59, codeName: 'CommandNotFound' })
})

t.test('a named command fails as often as configured, and does nothing', async t => {
  const { wire, fail, items } = await start(t)
  const struck = Number((await fail({ times: 2 }, { failCommands: ['insert'], errorCode: 91 })).count)
  t.same(outcome(await wire.command(insert(1))), [0, 91, 'ShutdownInProgress', undefined])
  t.same(outcome(await wire.command({ ...insert(1), ...newSession() })), [0, 91, 'ShutdownInProgress', ['RetryableWriteError']])
  t.same(await items(), [])
  t.same(outcome(await wire.command(insert(1))), [1, undefined, undefined, undefined])
  t.equal(Number((await fail('off', {})).count) - struck, 2)
})

t.test('errors within a transaction and at its end carry the labels of MongoDB', async t => {
  const { wire, fail } = await start(t)
  const part = { ...newSession(), autocommit: false }
  await wire.command({ ...insert(1), ...part, startTransaction: true })
  const labels = async (errorCode: number, command: Document, database?: string) => {
    await fail({ times: 1 }, { failCommands: ['insert', 'commitTransaction'], errorCode })
    return (await wire.command({ ...command, ...part }, database)).errorLabels as string[] | undefined
  }
  t.same(await labels(91, insert(2)), ['TransientTransactionError'])
  t.same(await labels(24, insert(2)), ['TransientTransactionError'])
  t.equal(await labels(8, insert(2)), undefined)
  t.same(await labels(91, { commitTransaction: 1 }, 'admin'), ['RetryableWriteError'])
  t.same(await labels(251, { commitTransaction: 1 }, 'admin'), ['TransientTransactionError'])
  t.equal((await wire.command({ commitTransaction: 1, ...part }, 'admin')).ok, 1, 'the transaction is as it was')
})

t.test('configured labels replace all others', async t => {
  const { wire, fail } = await start(t)
  const write = { ...insert(1), ...newSession() }
  await fail({ times: 1 }, { failCommands: ['insert'], errorCode: 91, errorLabels: [] })
  t.equal((await wire.command(write)).errorLabels, undefined)
  await fail({ times: 1 }, { failCommands: ['insert'], errorCode: 8, errorLabels: ['Strange'] })
  t.same((await wire.command(write)).errorLabels, ['Strange'])
})

t.test('a write concern error is reported beside the result of the write', async t => {
  const { wire, fail, items } = await start(t)
  const writeConcernError = { code: 91, errmsg: 'going' }
  await fail('alwaysOn', { failCommands: ['insert', 'find'], writeConcernError })
  t.same(await wire.command({ ...insert(1), ...newSession() }), { n: 1, ok: 1, writeConcernError, errorLabels: ['RetryableWriteError'] })
  t.same(await items(), [{ _id: 1 }], 'reads have no write concern')
})

t.test('a fail point can close the connection before the command runs', async t => {
  const { wire, open, fail, items } = await start(t)
  await fail({ times: 1 }, { failCommands: ['insert'], closeConnection: true })
  await t.rejects((await open()).command(insert(1)), /closed/)
  t.same(await items(), [])
  t.equal((await wire.command(insert(1))).ok, 1)
})

t.test('a fail point can be limited to one application name', async t => {
  const { wire, open, fail } = await start(t)
  await fail('alwaysOn', { failCommands: ['ping'], errorCode: 8, appName: 'ours' })
  const other = await open()
  await other.command({ hello: 1, client: { application: { name: 'ours' } } }, 'admin')
  t.equal((await other.command({ ping: 1 })).code, 8)
  t.equal((await wire.command({ ping: 1 })).ok, 1)
})

t.test('a blocked command does not delay those of other connections', async t => {
  const { wire, open, fail } = await start(t)
  await fail({ times: 1 }, { failCommands: ['insert'], blockConnection: true, blockTimeMS: 500 })
  const order: string[] = []
  const blocked = (await open()).command(insert(1)).then(({ n }) => order.push(`inserted ${n}`))
  await wire.command({ ping: 1 }).then(() => order.push('pong'))
  await blocked
  t.same(order, ['pong', 'inserted 1'])
})

t.test('a retryable write whose answer was lost gets its answer when it is sent again', async t => {
  const { open, configure, items } = await start(t)
  await configure('onPrimaryTransactionalWrite', { times: 1 })
  const write = { update: 'items', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } }, upsert: true }], ...newSession() }
  await t.rejects((await open()).command(write), /closed/)
  t.same(await items(), [{ _id: 1, n: 1 }])
  t.match(await (await open()).command(write), { n: 1, ok: 1 })
  t.same(await items(), [{ _id: 1, n: 1 }])
})

t.test('a retryable write that fails before its commit is not done', async t => {
  const { open, configure, items } = await start(t)
  await configure('onPrimaryTransactionalWrite', { skip: 1 }, { failBeforeCommitExceptionCode: 1 })
  const write = { insert: 'items', documents: [{ _id: 2 }], ...newSession() }
  t.equal((await (await open()).command({ ...insert(1), ...newSession() })).ok, 1)
  await t.rejects((await open()).command(write), /closed/)
  t.same(await items(), [{ _id: 1 }])
  await configure('onPrimaryTransactionalWrite', 'off')
  t.match(await (await open()).command(write), { n: 1, ok: 1 })
  t.same(await items(), [{ _id: 1 }, { _id: 2 }])
})

t.test('an unsupported fail point is refused', async t => {
  const { wire, configure, fail } = await start(t)
  const refusal = async (reply: Promise<Document>) => (await reply).code as number
  t.equal(await refusal(configure('unheardOf', 'off')), 231)
  t.equal(await refusal(configure('failCommand', undefined)), 20)
  t.equal(await refusal(configure('failCommand', 'often')), 2)
  t.equal(await refusal(configure('failCommand', { activationProbability: 0.5 })), 2)
  t.equal(await refusal(configure('failCommand', { times: -1 })), 2)
  t.equal(await refusal(configure('failCommand', 1)), 14)
  t.equal(await refusal(fail('alwaysOn', { failCommands: ['find'], failAllCommands: true })), 238)
  t.equal(await refusal(wire.command({ configureFailPoint: 'failCommand', mode: 'off' })), 13)
})
