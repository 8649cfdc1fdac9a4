/** The drivers and the mapper that an application may come with: each connects and works within the scope. */
import t from 'tap'
import { MongoClient as MongoClient6 } from 'mongodb6'
import mongoose from 'mongoose'
import { startEngine } from './helpers/engine.ts'

type Item = { _id: number, n: number, tags?: string[] }

t.test('version 6 of the official driver works', async t => {
  const { engine, db: { databaseName } } = await startEngine(t)
  const client = new MongoClient6(engine.uri)
  t.teardown(async () => { await client.close() })
  const items = client.db(databaseName).collection<Item>('items')
  await items.createIndex({ n: 1 }, { unique: true })
  await items.insertMany(Array.from({ length: 250 }, (_, _id) => ({ _id, n: _id * 2 })))
  t.equal((await items.find({ n: { $gte: 10 } }).sort({ n: -1 }).batchSize(50).toArray()).length, 245)
  t.match(await items.findOneAndUpdate({ _id: 1 }, { $push: { tags: 'a' } }, { returnDocument: 'after' }), { _id: 1, n: 2, tags: ['a'] })
  await t.rejects(items.insertOne({ _id: 999, n: 4 }), { code: 11000, keyPattern: { n: 1 }, keyValue: { n: 4 } })
  const { insertedCount, modifiedCount, deletedCount } = await items.bulkWrite([
    { insertOne: { document: { _id: 500, n: -1 } } }, { updateMany: { filter: { _id: { $lt: 3 } }, update: { $set: { tags: [] } } } }, { deleteOne: { filter: { _id: 3 } } }
  ])
  t.same([insertedCount, modifiedCount, deletedCount], [1, 3, 1])
  await client.withSession(async session => await session.withTransaction(async () => {
    await items.updateOne({ _id: 1 }, { $inc: { n: 1_000 } }, { session })
    await items.deleteOne({ _id: 2 }, { session })
  }))
  t.same(await items.find({ _id: { $in: [1, 2] } }).toArray(), [{ _id: 1, n: 1_002, tags: [] }])
  t.same(await items.aggregate([{ $match: { _id: { $lt: 3 } } }, { $group: { _id: null, n: { $sum: '$n' } } }]).toArray(), [{ _id: null, n: 1_002 }])
})

t.test('Mongoose works', async t => {
  const { engine, db: { databaseName } } = await startEngine(t)
  const connection = await mongoose.createConnection(engine.uri, { dbName: databaseName }).asPromise()
  t.teardown(async () => { await connection.close() })
  const User = connection.model('User', new mongoose.Schema({ name: { type: String, required: true, unique: true }, age: Number }, { timestamps: true }))
  const Post = connection.model('Post', new mongoose.Schema({ author: { type: mongoose.Schema.Types.ObjectId, ref: 'User' }, title: String, votes: { type: Number, default: 0 } }))
  await Promise.all([User.init(), Post.init()])

  const ann = await User.create({ name: 'ann', age: 30 })
  await User.insertMany([{ name: 'bob', age: 20 }, { name: 'cat' }])
  await t.rejects(User.create({ name: 'ann' }), { code: 11000 })
  ann.age = 31
  await ann.save()
  t.match(await User.findOne({ name: 'ann' }).lean(), { age: 31, __v: 0 })
  t.same((await User.find({ age: { $gt: 10 } }).sort('-age').select('name -_id').lean()), [{ name: 'ann' }, { name: 'bob' }])

  await Post.create([{ author: ann._id, title: 'one' }, { author: ann._id, title: 'two' }])
  const [post] = await Post.find().sort('title').populate<{ author: { name: string } }>('author')
  t.equal(post!.author.name, 'ann')
  t.equal((await Post.findOneAndUpdate({ title: 'one' }, { $inc: { votes: 2 } }, { returnDocument: 'after' }))!.votes, 2)
  t.ok(await Post.exists({ votes: 2 }))
  t.equal(await Post.countDocuments({ author: ann._id }), 2)
  t.same(await Post.distinct('title'), ['one', 'two'])

  await connection.transaction(async session => {
    await Post.deleteMany({ author: ann._id }, { session })
    await User.deleteOne({ _id: ann._id }, { session })
  })
  t.same([await Post.estimatedDocumentCount(), await User.estimatedDocumentCount()], [0, 2])
})
