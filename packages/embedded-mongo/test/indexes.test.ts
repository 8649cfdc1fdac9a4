import t from 'tap'
import fc from 'fast-check'
import type { Collection } from 'mongodb'
import { errorOf, startEngine } from './helpers/engine.ts'

type Stage = { stage: string, indexName?: string, inputStage?: Stage }

/** The stages of the winning plan, outermost first, and what running it looked at. */
async function explained (cursor: { explain: () => Promise<unknown> }): Promise<{ stages: string, index: string | undefined, keys: number, docs: number }> {
  const result = await cursor.explain() as { queryPlanner: { winningPlan: Stage }, executionStats: { totalKeysExamined: number, totalDocsExamined: number } }
  const stages: string[] = []
  let index: string | undefined
  for (let stage: Stage | undefined = result.queryPlanner.winningPlan; stage !== undefined; stage = stage.inputStage) {
    stages.push(stage.stage)
    index = stage.indexName ?? index
  }
  return { stages: stages.join(' '), index, keys: result.executionStats.totalKeysExamined, docs: result.executionStats.totalDocsExamined }
}

type Row = { _id: number, room: string, rev: number, seq?: number, sender: string, tags?: string[] }

async function fill (rows: Collection<Row>): Promise<void> {
  await rows.createIndex({ room: 1, rev: 1 }, { unique: true })
  await rows.createIndex({ room: 1, seq: 1 }, { unique: true, partialFilterExpression: { seq: { $exists: true } } })
  await rows.createIndex({ tags: 1 })
  await rows.insertMany(Array.from({ length: 1_000 }, (_, i) => ({
    _id: i, room: `r${i % 10}`, rev: Math.floor(i / 10), sender: `s${i % 3}`, ...(i % 4 === 0 ? { seq: i } : {}), ...(i % 5 === 0 ? { tags: [`t${i % 7}`, 'all'] } : {})
  })))
}

t.test('one index serves equality, range and order, and the limit ends the scan', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<Row>('rows')
  await fill(rows)
  const cursor = () => rows.find({ room: 'r3', rev: { $gt: 20 } }).sort({ rev: 1 }).limit(5)
  t.same((await cursor().toArray()).map(({ rev }) => rev), [21, 22, 23, 24, 25])
  t.same(await explained(cursor()), { stages: 'LIMIT FETCH IXSCAN', index: 'room_1_rev_1', keys: 5, docs: 5 })
  const backwards = () => rows.find({ room: 'r3' }).sort({ rev: -1 }).limit(2)
  t.same((await backwards().toArray()).map(({ rev }) => rev), [99, 98])
  t.equal((await explained(backwards())).keys, 2)
})

t.test('a lookup by a whole unique key reads one key', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<Row>('rows')
  await fill(rows)
  t.same(await explained(rows.find({ room: 'r3', rev: 7 })), { stages: 'FETCH IXSCAN', index: 'room_1_rev_1', keys: 1, docs: 1 })
  t.same(await explained(rows.find({ _id: { $in: [1, 2, 3, 5_000] } })), { stages: 'FETCH IXSCAN', index: '_id_', keys: 3, docs: 3 })
})

t.test('an $or of indexed branches reads only the keys of its branches, and each document once', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<Row>('rows')
  await fill(rows)
  const cursor = () => rows.find({ $or: [{ room: 'r1', rev: 5 }, { room: 'r2', rev: { $lt: 3 } }, { _id: 51 }, { _id: 4 }] })
  t.same((await cursor().map(({ _id }) => _id).toArray()).sort((a, b) => a - b), [2, 4, 12, 22, 51])
  t.same(await explained(cursor()), { stages: 'FETCH OR', index: undefined, keys: 6, docs: 5 })
  t.match(await explained(rows.find({ $or: [{ room: 'r1', rev: 5 }, { sender: 's1' }] })), { stages: 'COLLSCAN' })
  t.match(await explained(rows.find({ sender: { $ne: 's1' }, $or: [{ _id: 1 }, { room: 'r1', rev: 5 }] })), { stages: 'FETCH OR', docs: 2 })
  t.match(await explained(rows.find({ sender: { $ne: 's1' }, $or: [{ _id: 1 }, { _id: 2 }] })), { stages: 'FETCH IXSCAN', docs: 2 }, 'several ranges of one index')
  const batches = rows.find({ $or: [{ room: 'r1' }, { room: 'r2' }, { _id: { $lt: 50 } }] }, { batchSize: 7 })
  t.equal((await batches.toArray()).length, 240)
})

t.test('of several $or, the first whose branches all have an index is scanned', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<Row>('rows')
  await fill(rows)
  const ors = Array.from({ length: 12 }, (_, i) => ({ $or: [{ sender: 's1' }, { [`unknown${i}`]: 1 }] }))
  t.match(await explained(rows.find({ $and: ors })), { stages: 'COLLSCAN', docs: 1_000 })
  t.match(await explained(rows.find({ $and: [...ors, { $or: [{ _id: 1 }, { room: 'r1', rev: 5 }] }] })), { stages: 'FETCH OR', docs: 2 })
})

t.test('without an index the engine sorts in memory, or reads the whole collection', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<Row>('rows')
  await fill(rows)
  t.match((await explained(rows.find({ room: 'r3' }).sort({ sender: 1 }))), { stages: 'SORT FETCH IXSCAN', docs: 100 })
  t.match((await explained(rows.find({ sender: 's1' }))), { stages: 'COLLSCAN', docs: 1_000 })
})

t.test('a partial index is used only for queries whose documents it all contains', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<Row>('rows')
  await fill(rows)
  t.match(await explained(rows.find({ room: 'r4', seq: { $gte: 100 } })), { index: 'room_1_seq_1' })
  t.not((await explained(rows.find({ room: 'r4', seq: { $exists: false } }))).index, 'room_1_seq_1')
  t.equal((await errorOf(rows.find({ room: 'r4' }).hint('room_1_seq_1').toArray())).code, 291)
})

t.test('a hint is followed, and a hint that names no index is an error', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<Row>('rows')
  await fill(rows)
  t.match(await explained(rows.find({ room: 'r3', rev: 7 }).hint({ _id: 1 })), { index: '_id_', docs: 1_000 })
  t.match(await explained(rows.find({ room: 'r3', rev: 7 }).hint({ $natural: 1 })), { stages: 'COLLSCAN' })
  t.equal((await errorOf(rows.find({}).hint('nope').toArray())).code, 2)
})

t.test('an index over an array finds a document once, however many of its items match', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<Row>('rows')
  await fill(rows)
  t.equal((await rows.find({ tags: { $in: ['all', 't0', 't5'] } }).toArray()).length, 200)
  t.match(await explained(rows.find({ tags: 'all' })), { index: 'tags_1', docs: 200 })
})

t.test('a field beside an array is bounded at both ends, until it holds an array too', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<{ _id: number, tags: string | string[], at: number | number[] }>('rows')
  await rows.createIndex({ tags: 1, at: 1 })
  await rows.insertMany(Array.from({ length: 100 }, (_, at) => ({ _id: at, tags: ['all', `t${at % 7}`], at })))
  const filter = { tags: 'all', at: { $gte: 20, $lt: 25 } }
  t.match(await explained(rows.find(filter)), { index: 'tags_1_at_1', keys: 5, docs: 5 })
  t.equal(await rows.countDocuments(filter), 5)
  // Two items of one array fulfil the two ends: no key lies between them.
  await rows.insertOne({ _id: 100, tags: 'all', at: [10, 50] })
  t.equal((await rows.find(filter).toArray()).length, 6)
  t.equal(await rows.countDocuments(filter), 6)
})

t.test('a projection of whole fields copies them as they are stored', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<{ _id: number, a?: unknown, b?: unknown, ü?: unknown }>('rows')
  await rows.insertOne({ _id: 1, b: [1, { c: 2 }], a: 'x', ü: 3 })
  t.same(await rows.findOne({}, { projection: { b: 0 } }), { _id: 1, a: 'x', ü: 3 })
  t.same(Object.keys((await rows.findOne({}, { projection: { ü: 1, a: 1, b: 1, _id: 0 } }))!), ['b', 'a', 'ü'])
  t.same(await rows.findOne({}, { projection: { nothing: 1, _id: 0 } }), {})
})

t.test('unique indexes refuse duplicates, partial ones only within their filter', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<Row>('rows')
  await fill(rows)
  const error = await errorOf(rows.insertOne({ _id: 5_000, room: 'r0', rev: 0, sender: 's' }))
  t.equal(error.message, `E11000 duplicate key error collection: ${db.databaseName}.rows index: room_1_rev_1 dup key: { room: "r0", rev: 0 }`)
  t.same(error.keyPattern, { room: 1, rev: 1 })
  await rows.insertMany([{ _id: 5_001, room: 'x', rev: 1, sender: 's' }, { _id: 5_002, room: 'x', rev: 2, sender: 's' }])
  await rows.updateOne({ _id: 5_001 }, { $set: { seq: 1 } })
  t.equal((await errorOf(rows.updateOne({ _id: 5_002 }, { $set: { seq: 1 } }))).code, 11000)
  await rows.updateOne({ _id: 5_001 }, { $unset: { seq: 1 } })
  t.equal((await rows.updateOne({ _id: 5_002 }, { $set: { seq: 1 } })).modifiedCount, 1)
})

t.test('building a unique index over duplicates fails and leaves nothing behind', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<{ _id: number, a: number }>('rows')
  await rows.insertMany([{ _id: 1, a: 1 }, { _id: 2, a: 1 }])
  t.equal((await errorOf(rows.createIndex({ a: 1 }, { unique: true }))).code, 11000)
  t.same((await rows.indexes()).map(({ name }) => name), ['_id_'])
  await rows.createIndex({ a: 1 })
  t.equal(await rows.countDocuments({ a: 1 }), 2)
})

t.test('creating the same index again changes nothing, and a conflicting one is an error', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection('rows')
  await rows.createIndex({ a: 1 }, { name: 'first' })
  t.equal((await db.command({ createIndexes: 'rows', indexes: [{ key: { a: 1 }, name: 'first' }] })).note, 'all indexes already exist')
  t.equal((await errorOf(rows.createIndex({ b: 1 }, { name: 'first' }))).code, 86)
  t.equal((await errorOf(rows.createIndex({ a: 1 }, { name: 'second' }))).code, 85)
  t.equal((await errorOf(rows.dropIndex('third'))).code, 27)
  t.equal((await errorOf(rows.dropIndex('_id_'))).code, 72)
  await rows.dropIndex('first')
  t.same((await rows.listIndexes().toArray()).map(({ name }) => name), ['_id_'])
})

t.test('a document with two arrays cannot be in an index on both', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<{ a: number[], b: number[] }>('rows')
  await rows.createIndex({ a: 1, b: 1 })
  t.equal((await errorOf(rows.insertOne({ a: [1], b: [2] }))).code, 171)
  t.equal(await rows.countDocuments(), 0)
})

t.test('values longer than a key are found, distinguished and unique', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<{ _id: string, n: number }>('rows')
  const long = (end: string) => 'x'.repeat(3_000) + end
  await rows.insertMany([{ _id: long('b'), n: 1 }, { _id: long('a'), n: 2 }, { _id: 'short', n: 3 }])
  t.equal((await rows.findOne({ _id: long('a') }))!.n, 2)
  t.equal((await errorOf(rows.insertOne({ _id: long('a'), n: 4 }))).code, 11000)
  t.same((await rows.find({ _id: { $gte: long('') } }).sort({ _id: 1 }).toArray()).map(({ n }) => n), [2, 1])
})

t.test('an index that is built while documents are written contains all of them', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<{ _id: number, a: number }>('rows')
  await rows.insertMany(Array.from({ length: 5_000 }, (_, i) => ({ _id: i, a: i % 100 })))
  const built = rows.createIndex({ a: 1 })
  for (let i = 0; i < 50; i++) {
    await rows.insertOne({ _id: 10_000 + i, a: 7 })
    await rows.updateOne({ _id: i }, { $set: { a: 7 } })
    await rows.deleteOne({ _id: 4_999 - i })
  }
  await built
  const byIndex = await rows.find({ a: 7 }).hint('a_1').map(({ _id }) => _id).toArray()
  const byScan = await rows.find({ a: 7 }).hint({ $natural: 1 }).map(({ _id }) => _id).toArray()
  t.same(byIndex.sort((a, b) => a - b), byScan.sort((a, b) => a - b))
})

t.test('for any query, every index gives the same answer as a scan of everything', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<{ _id: number }>('rows')
  const scalar = fc.oneof(fc.constant(null), fc.boolean(), fc.integer({ min: -2, max: 2 }), fc.constantFrom('', 'a', 'ab', 'b'), fc.constantFrom(0.5, -0, NaN))
  const value = fc.oneof({ weight: 5, arbitrary: scalar }, { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }) })
  const docs = fc.sample(fc.record({ a: value, b: scalar, c: scalar }, { requiredKeys: [] }), { numRuns: 300, seed: 20_260_101 })
  for (const key of [{ a: 1, b: -1 }, { b: 1, c: 1 }, { c: -1, b: 1, a: 1 }, { b: -1 }] as const) await rows.createIndex(key)
  await rows.createIndex({ c: 1 }, { partialFilterExpression: { b: { $gt: 0 } }, name: 'partial' })
  await rows.insertMany(docs.map((doc, _id) => ({ _id, ...doc })))
  const condition = fc.oneof(
    scalar,
    fc.record({ $in: fc.array(scalar, { maxLength: 3 }) }),
    fc.record({ $gte: scalar }), fc.record({ $lt: scalar }), fc.record({ $gt: scalar, $lte: scalar }),
    fc.record({ $exists: fc.boolean() }), fc.record({ $ne: scalar }), fc.record({ $regex: fc.constantFrom('^a', 'b') }))
  const plain = fc.record({ a: condition, b: condition, c: condition }, { requiredKeys: [] })
  const filter = fc.oneof({ weight: 3, arbitrary: plain }, { weight: 1, arbitrary: fc.tuple(plain, fc.array(plain, { minLength: 1, maxLength: 3 })).map(([and, $or]) => ({ ...and, $or })) })
  const sort = fc.constantFrom(undefined, { b: 1, _id: 1 }, { c: -1, b: 1, _id: 1 }, { a: 1, b: -1, _id: 1 }, { _id: -1 } as const)
  await fc.assert(fc.asyncProperty(filter, sort, async (filter, sort) => {
    const ids = async (hint: object | undefined): Promise<number[]> => {
      const cursor = rows.find(filter as object, hint === undefined ? {} : { hint })
      if (sort !== undefined) cursor.sort(sort as Record<string, 1 | -1>)
      return await cursor.map(({ _id }) => _id).toArray()
    }
    const expected = await ids({ $natural: 1 })
    const found = await ids(undefined)
    if (sort === undefined) {
      expected.sort((a, b) => a - b)
      found.sort((a, b) => a - b)
    }
    if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${JSON.stringify(filter)} found ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`)
  }), { numRuns: 300 })
  t.pass()
})

t.test('a sparse index contains the documents with the field, and is used only for queries on those', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<{ _id: number, a?: number }>('rows')
  await rows.createIndex({ a: 1 }, { sparse: true, unique: true })
  await rows.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3, a: 1 }])
  t.equal((await errorOf(rows.insertOne({ _id: 4, a: 1 }))).code, 11000)
  t.match(await explained(rows.find({ a: { $gt: 0 } })), { index: 'a_1', keys: 1 })
  t.match(await explained(rows.find({ a: null } as object)), { stages: 'COLLSCAN' })
  t.equal((await rows.find({}).sort({ a: 1 }).toArray()).length, 3)
})

t.test('two clients that create the same index at once both find it ready', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<{ _id: number, a: number }>('rows')
  await rows.insertMany(Array.from({ length: 5_000 }, (_, i) => ({ _id: i, a: i })))
  await Promise.all([1, 2, 3].map(async () => {
    await rows.createIndex({ a: 1 })
    t.match(await explained(rows.find({ a: 7 }).hint('a_1')), { keys: 1 })
  }))
})

t.test('a cursor on a dropped collection or index fails with an error that says so', async t => {
  const { db } = await startEngine(t)
  const rows = db.collection<{ _id: number, a: number }>('rows')
  await rows.insertMany(Array.from({ length: 100 }, (_, i) => ({ _id: i, a: i })))
  await rows.createIndex({ a: 1 })
  const byIndex = rows.find({ a: { $gte: 0 } }, { batchSize: 2 })
  const all = rows.find({}, { batchSize: 2 })
  await byIndex.next()
  await all.next()
  await rows.dropIndex('a_1')
  t.equal((await errorOf(byIndex.toArray())).code, 175)
  await rows.drop()
  t.equal((await errorOf(all.toArray())).code, 175)
})
