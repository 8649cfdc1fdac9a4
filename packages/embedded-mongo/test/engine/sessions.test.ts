import t from 'tap'
import { Binary, Long, serialize } from 'bson'
import type { Document } from 'bson'
import { randomBytes } from 'node:crypto'
import { startEngine } from '../helpers/engine.ts'
import { message, WireClient } from '../helpers/wire-client.ts'

const newSession = () => ({ id: new Binary(randomBytes(16), Binary.SUBTYPE_UUID) })

async function start (t: Parameters<typeof startEngine>[0]) {
  const running = await startEngine(t)
  const wire = await WireClient.open(running.engine.uri, running.db.databaseName)
  t.teardown(() => { wire.close() })
  return { ...running, wire }
}

t.test('a retryable write that is sent twice is done once and gets the same answer', async t => {
  const { db, wire } = await start(t)
  const lsid = newSession()
  const commands: Document[] = [
    { insert: 'items', documents: [{ _id: 1, n: 1 }, { _id: 2, n: 1 }] },
    { update: 'items', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }, { q: { _id: 3 }, u: { $inc: { n: 1 } }, upsert: true }] },
    { delete: 'items', deletes: [{ q: { n: 1 }, limit: 1 }] },
    { findAndModify: 'items', query: { _id: 1 }, update: { $inc: { n: 10 } }, new: true }
  ]
  for (const [i, command] of commands.entries()) {
    const retryable = { ...command, lsid, txnNumber: Long.fromNumber(i + 1) }
    const first = await wire.command(retryable)
    t.equal(first.ok, 1)
    t.same(await wire.command(retryable), first, Object.keys(command)[0]!)
  }
  t.same(await db.collection<{ _id: number }>('items').find().sort({ _id: 1 }).toArray(), [{ _id: 1, n: 12 }, { _id: 3, n: 1 }])
})

t.test('a retry runs the statements that the first attempt did not reach', async t => {
  const { wire } = await start(t)
  const lsid = newSession()
  const txnNumber = Long.fromNumber(1)
  await wire.command({ insert: 'items', documents: [{ _id: 1 }], lsid, txnNumber })
  const reply = await wire.command({ insert: 'items', documents: [{ _id: 1 }, { _id: 2 }], lsid, txnNumber })
  t.match(reply, { n: 2, ok: 1, writeErrors: undefined })
})

t.test('an older transaction number of a session is refused', async t => {
  const { wire } = await start(t)
  const lsid = newSession()
  await wire.command({ insert: 'items', documents: [{ _id: 1 }], lsid, txnNumber: Long.fromNumber(5) })
  t.match(await wire.command({ insert: 'items', documents: [{ _id: 2 }], lsid, txnNumber: Long.fromNumber(4) }), { ok: 0, code: 225 })
})

t.test('a statement without an open transaction fails with a transient NoSuchTransaction', async t => {
  const { wire } = await start(t)
  const reply = await wire.command({ find: 'items', lsid: newSession(), txnNumber: Long.fromNumber(1), autocommit: false })
  t.match(reply, { ok: 0, code: 251, errorLabels: ['TransientTransactionError'] })
})

t.test('a new transaction of a session ends the previous one', async t => {
  const { db, wire } = await start(t)
  const lsid = newSession()
  const insert = (txnNumber: number) => ({ insert: 'items', documents: [{ _id: 1 }], lsid, txnNumber: Long.fromNumber(txnNumber), autocommit: false, startTransaction: true })
  t.equal((await wire.command(insert(1))).ok, 1)
  t.equal((await wire.command(insert(2))).ok, 1)
  const commit = (txnNumber: number) => ({ commitTransaction: 1, lsid, txnNumber: Long.fromNumber(txnNumber), autocommit: false })
  t.match(await wire.command(commit(1), 'admin'), { ok: 0, code: 225 })
  t.equal((await wire.command(commit(2), 'admin')).ok, 1)
  t.equal(await db.collection('items').estimatedDocumentCount(), 1)
})

t.test('a transaction ends when its last connection closes, and releases its locks', async t => {
  const { db, wire, engine } = await start(t)
  await db.collection<{ _id: number }>('items').insertOne({ _id: 1 })
  const part = { lsid: newSession(), txnNumber: Long.fromNumber(1), autocommit: false }
  const other = await WireClient.open(engine.uri, db.databaseName)
  await wire.command({ update: 'items', updates: [{ q: { _id: 1 }, u: { $set: { a: 1 } } }], ...part, startTransaction: true })
  await other.command({ find: 'items', ...part })
  wire.close()
  t.equal((await other.command({ find: 'items', ...part })).ok, 1, 'it came by two')
  const waiting = db.collection<{ _id: number }>('items').updateOne({ _id: 1 }, { $set: { b: 1 } })
  other.close()
  t.equal((await waiting).modifiedCount, 1)
  t.same(await db.collection('items').findOne(), { _id: 1, b: 1 })
  const third = await WireClient.open(engine.uri, db.databaseName)
  const { code, errorLabels } = await third.command({ commitTransaction: 1, ...part }, 'admin')
  t.same([code, errorLabels], [251, ['TransientTransactionError']])
  third.close()
})

t.test('a transaction that begins after its client has left ends at once', async t => {
  const { db, wire, engine } = await start(t)
  const items = db.collection<{ _id: number }>('items')
  await items.insertMany(Array.from({ length: 20_000 }, (_, _id) => ({ _id })))
  const send = (id: number, body: object) => message(id, serialize({ ...body, $db: db.databaseName }))
  const part = { lsid: newSession(), txnNumber: Long.fromNumber(1), autocommit: false }
  wire.send(Buffer.concat([
    send(1, { ping: 1 }),
    send(2, { update: 'items', updates: [{ q: {}, u: { $set: { a: 1 } }, multi: true }] }),
    send(3, { update: 'items', updates: [{ q: { _id: 1 }, u: { $set: { a: 2 } } }], ...part, startTransaction: true })
  ]))
  await wire.reply()
  wire.close()
  const other = await WireClient.open(engine.uri, db.databaseName)
  t.teardown(() => { other.close() })
  // It has begun when it is in the way.
  while (await items.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { maxTimeMS: 200 }).then(() => true, () => false));
  t.equal((await items.updateOne({ _id: 1 }, { $set: { a: 3 } }, { maxTimeMS: 30_000 })).modifiedCount, 1)
  t.match(await other.command({ find: 'items', ...part }), { ok: 0, code: 251 })
})

t.test('a commit on a new connection succeeds if the transaction\'s own has broken', async t => {
  const { client, db, wire, engine } = await start(t)
  await db.createCollection('items')
  const part = { lsid: newSession(), txnNumber: Long.fromNumber(1), autocommit: false }
  const open = async () => (await client.db('admin').command({ serverStatus: 1 })).connections.current as number
  await wire.command({ insert: 'items', documents: [{ _id: 1 }], ...part, startTransaction: true })
  const before = await open()
  wire.close()
  while (await open() >= before);
  const other = await WireClient.open(engine.uri, db.databaseName)
  t.teardown(() => { other.close() })
  t.equal((await other.command({ commitTransaction: 1, ...part }, 'admin')).ok, 1)
  t.same(await db.collection('items').find().toArray(), [{ _id: 1 }])
})

t.test('a retryable write is recognised on another connection', async t => {
  const { db, wire, engine } = await start(t)
  const write = { insert: 'items', documents: [{ _id: 1 }], lsid: newSession(), txnNumber: Long.fromNumber(1) }
  await wire.command(write)
  wire.close()
  const other = await WireClient.open(engine.uri, db.databaseName)
  t.same(await other.command(write), { n: 1, ok: 1 })
  other.close()
  t.equal(await db.collection('items').estimatedDocumentCount(), 1)
})
