import t from 'tap'
import { randomBytes } from 'node:crypto'
import { Binary, Long } from 'bson'
import type { Document } from 'bson'
import type { ClientBulkWriteModel, ClientBulkWriteOptions, ClientSession, MongoClientBulkWriteError } from 'mongodb'
import { errorOf, startEngine } from './helpers/engine.ts'
import type { Running } from './helpers/engine.ts'
import { WireClient } from './helpers/wire-client.ts'

type Ops = Document[]
type Item = { _id: number | string, n?: number, v?: number, k?: string }

/** The reply to one `bulkWrite` on the collections `a` and `b`, as it comes over the wire. */
async function bulk (
  t: Parameters<typeof startEngine>[0], running: Running, ops: Ops, more: Document = {}
): Promise<Document> {
  const wire = await WireClient.open(running.engine.uri, 'admin')
  t.teardown(() => { wire.close() })
  const nsInfo = ['a', 'b'].map(name => ({ ns: `${running.db.databaseName}.${name}` }))
  return await wire.command({ bulkWrite: 1, ops, nsInfo, ...more })
}

async function inTransaction<T> ({ client }: Running, use: (session: ClientSession) => Promise<T>): Promise<T> {
  return await client.withSession(async session => {
    session.startTransaction()
    return await use(session)
  })
}

async function idsOf ({ db }: Running, name: string): Promise<unknown[]> {
  return (await db.collection(name).find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id)
}

t.test('the driver\'s client.bulkWrite writes to collections of several databases at once', async t => {
  const running = await startEngine(t)
  const { client, db: { databaseName: one } } = running
  const two = `${one}-two`
  t.teardown(async () => { await client.db(two).dropDatabase() })
  await client.db(one).collection<Item>('a').insertMany([{ _id: 1, n: 1 }, { _id: 2, n: 1 }, { _id: 3, n: 1 }])
  const models: ClientBulkWriteModel<Record<string, Item>>[] = [
    { name: 'insertOne', namespace: `${two}.new`, document: { _id: 'x' } },
    { name: 'updateOne', namespace: `${one}.a`, filter: { _id: 1 }, update: { $inc: { n: 1 } } },
    { name: 'updateMany', namespace: `${one}.a`, filter: { n: 1 }, update: { $set: { n: 1 } } },
    { name: 'replaceOne', namespace: `${two}.new`, filter: { _id: 'y' }, replacement: { n: 7 }, upsert: true },
    { name: 'deleteOne', namespace: `${one}.a`, filter: {}, hint: { _id: 1 } },
    { name: 'deleteMany', namespace: `${one}.a`, filter: { _id: { $gt: 1 } } }
  ]
  const result = await client.bulkWrite<Record<string, Item>>(models, { verboseResults: true })
  t.match(result, { insertedCount: 1, matchedCount: 3, modifiedCount: 1, upsertedCount: 1, deletedCount: 3 })
  t.same(result.insertResults, new Map([[0, { insertedId: 'x' }]]))
  t.same(result.updateResults, new Map<number, object>([
    [1, { matchedCount: 1, modifiedCount: 1, didUpsert: false }],
    [2, { matchedCount: 2, modifiedCount: 0, didUpsert: false }],
    [3, { matchedCount: 1, modifiedCount: 0, didUpsert: true, upsertedId: 'y' }]
  ]))
  t.same(result.deleteResults, new Map([[4, { deletedCount: 1 }], [5, { deletedCount: 2 }]]))
  t.same(await client.db(two).collection('new').find().toArray(), [{ _id: 'x' }, { _id: 'y', n: 7 }])
  t.equal(await client.db(one).collection('a').countDocuments(), 0)
})

t.test('a reply names each statement that ran; with errorsOnly, only those that failed', async t => {
  const running = await startEngine(t)
  const ops = (from: number) => [
    { insert: 0, document: { _id: from } },
    { update: 0, filter: { _id: from }, updateMods: { $set: { v: 1 } } },
    { update: 1, filter: { _id: from }, updateMods: { $set: { v: 1 } }, upsert: true },
    { delete: 0, filter: { _id: from }, multi: true }
  ]
  const counts = { nErrors: 0, nInserted: 1, nMatched: 1, nModified: 1, nUpserted: 1, nDeleted: 1, ok: 1 }
  const reply = await bulk(t, running, ops(1))
  t.same(reply, {
    cursor: {
      id: Long.ZERO,
      firstBatch: [
        { ok: 1, idx: 0, n: 1 },
        { ok: 1, idx: 1, n: 1, nModified: 1 },
        { ok: 1, idx: 2, n: 1, nModified: 0, upserted: { _id: 1 } },
        { ok: 1, idx: 3, n: 1 }
      ],
      ns: 'admin.$cmd.bulkWrite'
    },
    ...counts
  })
  t.same(Object.keys(reply), ['cursor', 'nErrors', 'nInserted', 'nMatched', 'nModified', 'nUpserted', 'nDeleted', 'ok'])
  t.match(await bulk(t, running, ops(2), { errorsOnly: true }), { cursor: { firstBatch: [] }, ...counts })
})

t.test('an ordered command ends with the first failure, an unordered one does the rest', async t => {
  const running = await startEngine(t)
  const { databaseName } = running.db
  await running.db.collection<Item>('b').createIndex({ k: 1 }, { unique: true })
  await running.db.collection<Item>('b').insertOne({ _id: 1, k: 'x' })
  const ops = [
    { insert: 0, document: { _id: 1 } },
    { insert: 1, document: { _id: 2, k: 'x' } },
    { update: 1, filter: { _id: 1 }, updateMods: { $inc: { k: 1 } } },
    { delete: 0, filter: { $nonsense: 1 } },
    { insert: 0, document: { _id: 2 } }
  ]
  const duplicate = {
    ok: 0,
    idx: 1,
    code: 11000,
    errmsg: `E11000 duplicate key error collection: ${databaseName}.b index: k_1 dup key: { k: "x" }`,
    keyPattern: { k: 1 },
    keyValue: { k: 'x' },
    n: 0
  }
  const ordered = await bulk(t, running, ops)
  t.same(ordered.cursor.firstBatch, [{ ok: 1, idx: 0, n: 1 }, duplicate])
  t.match(ordered, { nErrors: 1, nInserted: 1, ok: 1 })
  t.same(await idsOf(running, 'a'), [1])
  await running.db.collection<Item>('a').deleteMany()
  const unordered = await bulk(t, running, ops, { ordered: false, errorsOnly: true })
  t.match(unordered, { nErrors: 3, nInserted: 2, ok: 1 })
  t.same(unordered.cursor.firstBatch[0], duplicate)
  t.match(unordered.cursor.firstBatch.slice(1), [
    { ok: 0, idx: 2, code: 14, n: 0, nModified: 0 },
    { ok: 0, idx: 3, code: 2, n: 0 }
  ])
  t.same(await idsOf(running, 'a'), [1, 2])
})

t.test('an invalid bulkWrite is refused with MongoDB\'s code before anything is written', async t => {
  const running = await startEngine(t)
  const { databaseName } = running.db
  const insert = { insert: 0, document: { _id: 1 } }
  const cases: [Ops, Document, number, string?][] = [
    [[], {}, 16], [[], { nsInfo: 5 }, 14],
    [[insert], { nsInfo: null }, 40414, "BSON field 'bulkWrite.nsInfo' is missing but a required field"],
    [[insert], { nsInfo: [5] }, 14, "BSON field 'bulkWrite.nsInfo.0' is the wrong type 'int', expected type 'object'"],
    [[insert], { nsInfo: [{ ns: 'x.y', z: 1 }] }, 40415, "BSON field 'bulkWrite.nsInfo.z' is an unknown field."],
    [[insert], { nsInfo: [{}] }, 40414], [[insert], { nsInfo: [{ ns: 1 }] }, 14],
    ...['nodot', '', '.', '.c', 'db.', 'db..c', 'db.c.', 'db.\0']
      .map((ns): [Ops, Document, number] => [[insert], { nsInfo: [{ ns }] }, 73]),
    [[insert, { insert: -1, document: {} }], {}, 2, "BSON field 'insert' value must be >= 0, actual value '-1'"],
    [[insert, { insert: 2, document: {} }], {}, 2], [[insert, { delete: '0', filter: {} }], {}, 14],
    [[insert, { frobnicate: 0 }], {}, 40415, "BSON field 'bulkWrite.frobnicate' is an unknown field."],
    [[insert, {}], {}, 40415],
    [[insert, { insert: 0, document: {}, x: 1 }], {}, 40415, "BSON field 'bulkWrite.ops.x' is an unknown field."],
    [[insert, { insert: 0 }], {}, 40414, "BSON field 'bulkWrite.ops.document' is missing but a required field"],
    [[insert, { insert: 0, document: 5 }], {}, 14], [[insert, { update: 0, filter: {} }], {}, 40414],
    [[insert, { delete: 0 }], {}, 40414],
    [[insert, { update: 0, updateMods: {} }], {}, 40414],
    [[insert, { update: 0, filter: {}, updateMods: 1 }], {}, 9],
    [[insert, { update: 0, filter: {}, updateMods: { a: 1 }, upsert: 1 }], {}, 14],
    [[insert, { delete: 0, filter: {}, multi: 'x' }], {}, 14],
    [[insert, { update: 0, filter: {}, updateMods: { a: 1 }, sort: 1 }], {}, 14],
    [[insert, { delete: 0, filter: {}, collation: { locale: 'de' } }], {}, 238],
    [[insert, { update: 0, filter: {}, updateMods: { a: 1 }, arrayFilters: [] }], {}, 40415],
    [[insert], { let: { x: 1 } }, 40415], [[insert], { nonsense: 1 }, 40415], [[insert], { errorsOnly: 'x' }, 14],
    [[insert], { cursor: { batchSize: -1 } }, 2], [[insert], { cursor: { batchSize: 'x' } }, 14],
    [[insert], { cursor: { x: 1 } }, 40415],
    [[insert], { stmtIds: [1, 2] }, 16], [[insert], { stmtIds: [1], stmtId: 1 }, 72], [[insert], { stmtIds: [-1] }, 14]
  ]
  for (const [ops, more, code, errmsg] of cases) {
    const name = `${JSON.stringify(ops)} ${JSON.stringify(more)}`
    t.match(await bulk(t, running, ops, more), { ok: 0, code, ...(errmsg !== undefined && { errmsg }) }, name)
  }
  const wire = await WireClient.open(running.engine.uri)
  t.teardown(() => { wire.close() })
  const elsewhere = await wire.command({ bulkWrite: 1, ops: [insert], nsInfo: [{ ns: `${databaseName}.a` }] })
  t.match(elsewhere, { ok: 0, code: 13, errmsg: 'bulkWrite may only be run against the admin database.' })
  t.same(await running.db.listCollections().toArray(), [])
})

t.test('more results than the first reply holds come from a cursor', async t => {
  const running = await startEngine(t)
  const ops = Array.from({ length: 5 }, (_, _id) => ({ insert: 0, document: { _id } }))
  const wire = await WireClient.open(running.engine.uri, 'admin')
  t.teardown(() => { wire.close() })
  const { cursor } = await bulk(t, running, ops, { cursor: { batchSize: 2 } })
  t.same(cursor.firstBatch.map(({ idx }: Document) => idx), [0, 1])
  const more = await wire.command({ getMore: cursor.id, collection: '$cmd.bulkWrite', batchSize: 2 })
  t.same(more.cursor.nextBatch, [{ ok: 1, idx: 2, n: 1 }, { ok: 1, idx: 3, n: 1 }])
  const last = await wire.command({ getMore: cursor.id, collection: '$cmd.bulkWrite' })
  t.match(last.cursor, { id: Long.ZERO, nextBatch: [{ idx: 4 }], ns: 'admin.$cmd.bulkWrite' })
  const none = await bulk(t, running, [{ delete: 0, filter: {} }], { cursor: { batchSize: 0 } })
  t.same(none.cursor.firstBatch, [])
})

t.test('at most 16 MB of results are kept: the first reply holds that much, and the command ends', async t => {
  const running = await startEngine(t)
  const { client, db: { databaseName } } = running
  const half = 8 * 1024 * 1024
  const upserts = ['a', 'b', 'c'].map(letter => ({
    name: 'updateOne' as const,
    namespace: `${databaseName}.a`,
    filter: { _id: letter.repeat(half) },
    update: { $set: { n: 1 } },
    upsert: true
  }))
  const options = { verboseResults: true, ordered: false }
  const { updateResults } = await client.bulkWrite<Record<string, Item>>(upserts.slice(0, 2), options)
  const letters = [...updateResults!.values()].map(({ upsertedId }) => (upsertedId as string)[0])
  t.same(letters, ['a', 'b'], 'the driver fetched the second')
  await running.db.collection<Item>('a').deleteMany()
  const error = await errorOf<MongoClientBulkWriteError>(client.bulkWrite<Record<string, Item>>(upserts, options))
  t.match([...error.writeErrors], [[2, { code: 146 }]])
  t.equal(await running.db.collection<Item>('a').countDocuments(), 2)
})

t.test('in a transaction all statements count or none', async t => {
  const running = await startEngine(t)
  const { client, db } = running
  const ns = (name: string) => `${db.databaseName}.${name}`
  await db.collection<Item>('a').insertOne({ _id: 1 })
  const insertOf = (name: string, _id: number) => {
    return { name: 'insertOne' as const, namespace: ns(name), document: { _id } }
  }
  const write = async (session: ClientSession, id: number, more: ClientBulkWriteOptions = {}) => {
    const models = [insertOf('new', id), insertOf('a', id), insertOf('new', id + 100)]
    await client.bulkWrite<Record<string, Item>>(models, { session, ...more })
  }
  await inTransaction(running, async session => {
    await write(session, 2)
    t.same(await idsOf(running, 'new'), [])
    await session.commitTransaction()
  })
  t.same([await idsOf(running, 'new'), await idsOf(running, 'a')], [[2, 102], [1, 2]])
  for (const ordered of [true, false]) {
    await inTransaction(running, async session => {
      const { writeErrors } = await errorOf<MongoClientBulkWriteError>(write(session, 1, { ordered }))
      t.match([...writeErrors], [[1, { code: 11000 }]], 'nothing runs after it')
      const ended = { cause: { code: 251, errorLabels: ['TransientTransactionError'] } }
      t.match(await errorOf<MongoClientBulkWriteError>(write(session, 3)), ended, 'the transaction has ended')
      await t.rejects(session.commitTransaction(), { code: 251 })
    })
  }
  t.same([await idsOf(running, 'new'), await idsOf(running, 'a')], [[2, 102], [1, 2]])
})

t.test('a statement that conflicts with another writer fails its transaction, which can be retried', async t => {
  const running = await startEngine(t)
  const { client, db } = running
  const namespace = `${db.databaseName}.a`
  const update = { $inc: { n: 1 } }
  const models = [1, 2].map(_id => ({ name: 'updateOne' as const, namespace, filter: { _id }, update }))
  await db.collection<Item>('a').insertMany([{ _id: 1, n: 0 }, { _id: 2, n: 0 }])
  await inTransaction(running, async first => {
    await db.collection<Item>('a').updateOne({ _id: 2 }, { $inc: { n: 1 } }, { session: first })
    await inTransaction(running, async second => {
      const written = client.bulkWrite<Record<string, Item>>(models, { session: second })
      const error = await errorOf<MongoClientBulkWriteError>(written)
      t.match(error, { cause: { code: 112, errorLabels: ['TransientTransactionError'] } })
    })
    await first.commitTransaction()
  })
  t.same(await db.collection<Item>('a').find().toArray(), [{ _id: 1, n: 0 }, { _id: 2, n: 1 }])
})

t.test('a retryable bulkWrite that is sent again is not repeated', async t => {
  const running = await startEngine(t)
  await running.db.collection<Item>('a').insertOne({ _id: 1, n: 0 })
  const ops = [
    { update: 0, filter: { _id: 1 }, updateMods: { $inc: { n: 1 } } },
    { insert: 1, document: { _id: 1 } },
    { delete: 1, filter: { _id: 1 } }
  ]
  const part = { lsid: { id: new Binary(randomBytes(16), Binary.SUBTYPE_UUID) }, txnNumber: Long.fromNumber(1) }
  const first = await bulk(t, running, ops, part)
  t.match(first, { nErrors: 0, nInserted: 1, nModified: 1, nDeleted: 1 })
  t.same(await bulk(t, running, ops, part), first)
  t.same(await running.db.collection<Item>('a').find().toArray(), [{ _id: 1, n: 1 }])
  const { cursor } = await bulk(t, running, [...ops, ops[0]!], { ...part, stmtIds: [2, 1, 0, 9] })
  t.match(cursor.firstBatch, [{ nModified: 0 }, { n: 1 }, { n: 1 }, { nModified: 1 }], 'by the ids of the statements')
  t.same(await running.db.collection<Item>('a').find().toArray(), [{ _id: 1, n: 2 }])
  const many = { delete: 0, filter: {}, multi: true }
  const refused = await bulk(t, running, [many], { ...part, txnNumber: Long.fromNumber(2) })
  t.match(refused.cursor.firstBatch, [{ code: 72, errmsg: 'Cannot use retryable writes with multi=true' }])
})

t.test('an update with a sort changes the first in that order', async t => {
  const running = await startEngine(t)
  const { client, db } = running
  const items = db.collection<Item>('a')
  await items.insertMany([{ _id: 1, v: 3 }, { _id: 2, v: 1 }, { _id: 3, v: 2 }])
  await items.updateOne({}, { $set: { n: 1 } }, { sort: { v: 1 } })
  await client.bulkWrite([
    { name: 'replaceOne', namespace: `${db.databaseName}.a`, filter: {}, replacement: { v: 9 }, sort: { v: -1 } }
  ])
  const stored = await items.find().sort({ _id: 1 }).toArray()
  t.same(stored, [{ _id: 1, v: 9 }, { _id: 2, v: 1, n: 1 }, { _id: 3, v: 2 }])
  t.match(await items.updateOne({ v: 5 }, { $set: { n: 1 } }, { sort: { v: 1 }, upsert: true }), { upsertedCount: 1 })
  const update = { q: {}, u: { $set: { w: 2 } }, multi: true, sort: { v: 1 } }
  const refusal = { code: 9, errmsg: 'Cannot specify sort with multi=true' }
  await t.rejects(db.command({ update: 'a', updates: [update] }), refusal)
  const op = { update: 0, filter: {}, updateMods: { $set: { w: 2 } }, multi: true, sort: { v: 1 } }
  t.match((await bulk(t, running, [op])).cursor.firstBatch, [refusal])
})
