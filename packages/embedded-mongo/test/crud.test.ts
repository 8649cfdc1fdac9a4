import t from 'tap'
import type { MongoBulkWriteError } from 'mongodb'
import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb'
import { errorOf, startEngine } from './helpers/engine.ts'

t.test('documents come back with the types and the field order they were stored with', async t => {
  const { db } = await startEngine(t)
  const raw = db.collection('types', { promoteValues: false })
  const stored = {
    _id: new ObjectId(), z: new Int32(1), a: new Double(1), l: new Long(1), d: Decimal128.fromString('1.0'), when: new Date(5), list: [new Int32(1), null, 'x'], sub: { b: true }
  }
  await raw.insertOne(stored)
  await raw.updateOne({ _id: stored._id }, { $set: { added: 'yes' } })
  const found = await raw.findOne({ _id: stored._id })
  t.same(Object.keys(found!), ['_id', 'z', 'a', 'l', 'd', 'when', 'list', 'sub', 'added'])
  t.ok(found!.z instanceof Int32)
  t.ok(found!.a instanceof Double)
  t.ok(found!.l instanceof Long)
})

t.test('a filter, a sort, a skip, a limit and a projection work together', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: number, group: string, n: number }>('items')
  await items.insertMany(Array.from({ length: 50 }, (_, i) => ({ _id: i, group: i % 2 === 0 ? 'even' : 'odd', n: 49 - i })))
  const found = await items.find({ group: 'odd', n: { $gte: 10 } }).sort({ n: 1 }).skip(2).limit(3).project({ n: 1, _id: 0 }).toArray()
  t.same(found, [{ n: 14 }, { n: 16 }, { n: 18 }])
})

t.test('natural order is the order of insertion', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: string }>('items')
  for (const _id of ['b', 'c', 'a']) await items.insertOne({ _id })
  t.same(await items.find().map(({ _id }) => _id).toArray(), ['b', 'c', 'a'])
})

t.test('a cursor reads in batches and ends', async t => {
  const { db, client } = await startEngine(t, { monitorCommands: true })
  const items = db.collection<{ _id: number }>('items')
  await items.insertMany(Array.from({ length: 1_000 }, (_, _id) => ({ _id })))
  let getMores = 0
  client.on('commandStarted', ({ commandName }) => { if (commandName === 'getMore') getMores++ })
  const ids = await items.find({}, { batchSize: 100 }).map(({ _id }) => _id).toArray()
  t.same(ids, Array.from({ length: 1_000 }, (_, i) => i))
  t.ok(getMores >= 9, 'in batches')
})

t.test('a cursor continues after documents that were deleted meanwhile', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: number }>('items')
  await items.insertMany(Array.from({ length: 30 }, (_, _id) => ({ _id })))
  const cursor = items.find({}, { batchSize: 10 })
  const ids: number[] = []
  for (let i = 0; i < 10; i++) ids.push((await cursor.next())!._id)
  await items.deleteMany({ _id: { $gte: 5, $lt: 20 } })
  for await (const { _id } of cursor) ids.push(_id)
  t.same(ids, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])
})

t.test('a killed cursor no longer exists', async t => {
  const { db } = await startEngine(t)
  await db.collection<{ _id: number }>('items').insertMany(Array.from({ length: 10 }, (_, _id) => ({ _id })))
  const { cursor } = await db.command({ find: 'items', batchSize: 2 })
  const killed = await db.command({ killCursors: 'items', cursors: [cursor.id] })
  t.equal(killed.cursorsKilled.length, 1)
  const error = await errorOf(db.command({ getMore: cursor.id, collection: 'items' }))
  t.equal(error.code, 43)
})

t.test('updateMany reports how many documents it matched and how many it changed', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: number, n: number }>('items')
  await items.insertMany([{ _id: 1, n: 1 }, { _id: 2, n: 5 }, { _id: 3, n: 1 }])
  const result = await items.updateMany({}, { $max: { n: 4 } })
  t.match(result, { matchedCount: 3, modifiedCount: 2 })
  t.same(await items.find().sort({ _id: 1 }).toArray(), [{ _id: 1, n: 4 }, { _id: 2, n: 5 }, { _id: 3, n: 4 }])
})

t.test('an update that moves documents within the scanned index changes each once', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: number, n: number }>('items')
  await items.createIndex({ n: 1 })
  await items.insertMany(Array.from({ length: 200 }, (_, i) => ({ _id: i, n: i })))
  const { modifiedCount } = await items.updateMany({ n: { $gte: 0 } }, { $inc: { n: 150 } })
  t.equal(modifiedCount, 200)
  t.equal((await items.findOne({ _id: 199 }))!.n, 349)
})

t.test('an upsert inserts once and then updates', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: string, n: number, made?: boolean }>('items')
  const first = await items.updateOne({ _id: 'a' }, { $inc: { n: 1 }, $setOnInsert: { made: true } }, { upsert: true })
  t.match(first, { matchedCount: 0, upsertedCount: 1, upsertedId: 'a' })
  const second = await items.updateOne({ _id: 'a' }, { $inc: { n: 1 } }, { upsert: true })
  t.match(second, { matchedCount: 1, upsertedCount: 0 })
  t.same(await items.findOne(), { _id: 'a', n: 2, made: true })
})

t.test('findOneAndUpdate updates the first document in the order, and returns it from before or after', async t => {
  const { db } = await startEngine(t)
  const jobs = db.collection<{ _id: number, priority: number, taken?: boolean }>('jobs')
  await jobs.insertMany([{ _id: 1, priority: 1 }, { _id: 2, priority: 9 }])
  const before = await jobs.findOneAndUpdate({ taken: { $exists: false } }, { $set: { taken: true } }, { sort: { priority: -1 } })
  t.same(before, { _id: 2, priority: 9 })
  const after = await jobs.findOneAndUpdate({ taken: { $exists: false } }, { $set: { taken: true } }, { sort: { priority: -1 }, returnDocument: 'after' })
  t.same(after, { _id: 1, priority: 1, taken: true })
  t.equal(await jobs.findOneAndUpdate({ taken: { $exists: false } }, { $set: { taken: true } }), null)
  t.same(await jobs.findOneAndDelete({ _id: 1 }), { _id: 1, priority: 1, taken: true })
  t.same(await jobs.findOneAndReplace({ _id: 3 }, { priority: 0 }, { upsert: true, returnDocument: 'after' }), { _id: 3, priority: 0 })
})

t.test('a delete removes one document or all', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: number, kind: string }>('items')
  await items.insertMany([{ _id: 1, kind: 'a' }, { _id: 2, kind: 'a' }, { _id: 3, kind: 'a' }, { _id: 4, kind: 'b' }])
  t.equal((await items.deleteOne({ kind: 'a' })).deletedCount, 1)
  t.equal((await items.deleteMany({ kind: 'a' })).deletedCount, 2)
  t.same(await items.find().toArray(), [{ _id: 4, kind: 'b' }])
})

t.test('a duplicate _id is refused with MongoDB\'s message', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: string }>('items')
  await items.insertOne({ _id: 'a' })
  const error = await errorOf(items.insertOne({ _id: 'a' }))
  t.equal(error.code, 11000)
  t.equal(error.message, `E11000 duplicate key error collection: ${db.databaseName}.items index: _id_ dup key: { _id: "a" }`)
  t.same(error.keyPattern, { _id: 1 })
  t.same(error.keyValue, { _id: 'a' })
})

t.test('an ordered batch stops at its first error, an unordered one continues', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: number }>('items')
  await items.insertOne({ _id: 2 })
  const ordered = await errorOf(items.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }])) as MongoBulkWriteError
  t.equal(ordered.result.insertedCount, 1)
  const unordered = await errorOf(items.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }], { ordered: false })) as MongoBulkWriteError
  t.equal(unordered.result.insertedCount, 1)
  t.same([unordered.writeErrors].flat().map(({ index, code }) => ({ index, code })), [{ index: 0, code: 11000 }, { index: 1, code: 11000 }])
  t.equal(await items.countDocuments(), 3)
})

t.test('a bulk write mixes kinds of writes', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: number, n: number }>('items')
  const result = await items.bulkWrite([
    { insertOne: { document: { _id: 1, n: 1 } } },
    { insertOne: { document: { _id: 2, n: 1 } } },
    { updateOne: { filter: { _id: 1 }, update: { $set: { n: 2 } } } },
    { updateMany: { filter: {}, update: { $inc: { n: 1 } } } },
    { replaceOne: { filter: { _id: 3 }, replacement: { n: 7 }, upsert: true } },
    { deleteOne: { filter: { _id: 2 } } }
  ])
  t.match(result, { insertedCount: 2, matchedCount: 3, modifiedCount: 3, upsertedCount: 1, deletedCount: 1, upsertedIds: { 4: 3 } })
  t.same(await items.find().sort({ _id: 1 }).toArray(), [{ _id: 1, n: 3 }, { _id: 3, n: 7 }])
})

t.test('a count equals the number of documents that a find returns', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: number, n: number }>('items')
  await items.insertMany(Array.from({ length: 20 }, (_, i) => ({ _id: i, n: i % 4 })))
  await items.deleteOne({ _id: 0 })
  t.equal(await items.countDocuments({ n: 0 }), 4)
  t.equal(await items.countDocuments({}), 19)
  t.equal(await items.countDocuments({ n: 1 }, { skip: 1, limit: 3 }), 3)
  t.equal(await items.estimatedDocumentCount(), 19)
  t.same(await items.distinct('n', { _id: { $gt: 10 } }), [0, 1, 2, 3])
})

t.test('a filter after a limit is applied even if documents are only counted', async t => {
  const { db } = await startEngine(t)
  const items = db.collection('items')
  await items.insertMany(Array.from({ length: 20 }, (_, n) => ({ n })))
  const behind = [{ $match: { n: { $gte: 5 } } }, { $count: 'n' }]
  t.same(await items.aggregate([{ $limit: 10 }, ...behind]).toArray(), [{ n: 5 }])
  t.same(await items.aggregate([{ $skip: 3 }, ...behind]).toArray(), [{ n: 15 }])
})

t.test('a document above 16 MiB is refused and one just below is stored', async t => {
  const { db } = await startEngine(t)
  const files = db.collection<{ _id: number, text: string }>('files')
  await files.insertOne({ _id: 1, text: 'x'.repeat(16_777_000) })
  t.equal((await files.findOne({ _id: 1 }))!.text.length, 16_777_000)
  const error = await errorOf(files.updateOne({ _id: 1 }, { $set: { more: 'y'.repeat(1_000) } } as object))
  t.equal(error.code, 10334)
})

t.test('a read that computes a document above 16 MiB from smaller ones is refused', async t => {
  const { db } = await startEngine(t)
  const parts = db.collection('parts')
  await parts.insertMany([{ text: 'x'.repeat(9_000_000) }, { text: 'x'.repeat(9_000_000) }])
  for (const read of [
    () => parts.aggregate([{ $group: { _id: 1, texts: { $push: '$text' } } }]).toArray(),
    () => parts.aggregate([{ $lookup: { from: 'parts', localField: 'none', foreignField: 'none', as: 'all' } }]).toArray(),
    () => parts.find({}, { projection: { text: 1, again: '$text' } }).toArray()
  ]) t.equal((await errorOf(read())).code, 10334)
})

t.test('a findAndModify whose projection fails writes nothing', async t => {
  const { db } = await startEngine(t)
  const items = db.collection<{ _id: number }>('items')
  await items.insertOne({ _id: 1 })
  const failing = [{ 'a.$': 1 }, { sum: { $add: ['$_id', 'text'] } }]
  for (const projection of failing) {
    await errorOf(items.findOneAndUpdate({ _id: 1 }, { $set: { a: 1 } }, { projection, returnDocument: 'after' }))
    await errorOf(items.findOneAndUpdate({ _id: 2 }, { $set: { a: 1 } }, { projection, returnDocument: 'after', upsert: true }))
    await errorOf(items.findOneAndDelete({ _id: 1 }, { projection }))
  }
  await errorOf(items.findOneAndDelete({ _id: 3 }, { projection: failing[0]! }))
  await errorOf(db.collection('none').findOne({}, { projection: failing[0]! }))
  t.same(await items.find().toArray(), [{ _id: 1 }])
})

t.test('what the engine does not support is refused with MongoDB\'s error', async t => {
  const { db } = await startEngine(t)
  await db.collection('items').insertOne({ a: 1 })
  t.equal((await errorOf(db.command({ mapReduce: 'items' }))).code, 59)
  t.equal((await errorOf(db.command({ find: 'items', nonsense: 1 }))).code, 40415)
  t.equal((await errorOf(db.command({ find: 'items', filter: { $where: 'true' } }))).ok, 0)
  t.equal((await errorOf(db.collection('items').find({}, { collation: { locale: 'de' } }).toArray())).code, 238)
  t.equal((await errorOf(db.collection('items').createIndex({ a: 'text' }))).code, 238)
})
