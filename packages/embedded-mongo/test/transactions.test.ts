import t from 'tap'
import type { ClientSession, Collection } from 'mongodb'
import { errorOf, startEngine } from './helpers/engine.ts'
import type { Running } from './helpers/engine.ts'

type Account = { _id: string, balance: number }

async function accounts (t: Parameters<typeof startEngine>[0]): Promise<Running & { accounts: Collection<Account> }> {
  const running = await startEngine(t)
  const accounts = running.db.collection<Account>('accounts')
  await accounts.insertMany([{ _id: 'a', balance: 10 }, { _id: 'b', balance: 10 }])
  return { ...running, accounts }
}

async function withSession (running: Running, use: (session: ClientSession) => Promise<void>): Promise<void> {
  const session = running.client.startSession()
  try {
    await use(session)
  } finally {
    await session.endSession()
  }
}

t.test('all writes of a transaction become visible at its commit, and none before', async t => {
  const running = await accounts(t)
  await withSession(running, async session => {
    session.startTransaction()
    await running.accounts.updateOne({ _id: 'a' }, { $inc: { balance: -3 } }, { session })
    await running.accounts.updateOne({ _id: 'b' }, { $inc: { balance: 3 } }, { session })
    t.equal((await running.accounts.findOne({ _id: 'a' }, { session }))!.balance, 7, 'its own writes')
    t.equal((await running.accounts.findOne({ _id: 'a' }))!.balance, 10, 'not to others')
    await session.commitTransaction()
  })
  t.same(await running.accounts.find().toArray(), [{ _id: 'a', balance: 7 }, { _id: 'b', balance: 13 }])
})

t.test('an aborted transaction leaves nothing behind, also in indexes and counts', async t => {
  const running = await accounts(t)
  await running.accounts.createIndex({ balance: 1 })
  await withSession(running, async session => {
    session.startTransaction()
    await running.accounts.insertOne({ _id: 'c', balance: 77 }, { session })
    await running.accounts.updateOne({ _id: 'a' }, { $set: { balance: 78 } }, { session })
    t.equal(await running.accounts.countDocuments({ balance: { $gt: 70 } }, { session }), 2)
    await session.abortTransaction()
  })
  t.equal(await running.accounts.countDocuments({ balance: { $gt: 70 } }), 0)
  t.equal(await running.accounts.estimatedDocumentCount(), 2)
})

t.test('a transaction reads the state at its beginning', async t => {
  const running = await accounts(t)
  await withSession(running, async session => {
    session.startTransaction()
    t.equal(await running.accounts.countDocuments({}, { session }), 2)
    await running.accounts.insertOne({ _id: 'c', balance: 1 })
    await running.accounts.updateOne({ _id: 'a' }, { $set: { balance: 99 } })
    await running.accounts.deleteOne({ _id: 'b' })
    t.same(await running.accounts.find({}, { session }).toArray(), [{ _id: 'a', balance: 10 }, { _id: 'b', balance: 10 }])
    t.same(await running.accounts.find({ balance: 10 }, { session, hint: { _id: 1 } }).toArray(), [{ _id: 'a', balance: 10 }, { _id: 'b', balance: 10 }])
    await session.abortTransaction()
  })
})

t.test('of two transactions that write one document the second fails at once', async t => {
  const running = await accounts(t)
  await withSession(running, async first => {
    await withSession(running, async second => {
      first.startTransaction()
      second.startTransaction()
      await running.accounts.updateOne({ _id: 'a' }, { $inc: { balance: 1 } }, { session: first })
      const error = await errorOf(running.accounts.updateOne({ _id: 'a' }, { $inc: { balance: 1 } }, { session: second }))
      t.equal(error.code, 112)
      t.ok(error.hasErrorLabel('TransientTransactionError'))
      await first.commitTransaction()
      t.equal((await errorOf(running.accounts.findOne({}, { session: second }))).code, 251, 'the second is gone')
      await second.abortTransaction()
    })
  })
  t.equal((await running.accounts.findOne({ _id: 'a' }))!.balance, 11)
})

t.test('a transaction cannot overwrite what was committed after its snapshot', async t => {
  const running = await accounts(t)
  await withSession(running, async session => {
    session.startTransaction()
    await running.accounts.findOne({ _id: 'a' }, { session })
    await running.accounts.updateOne({ _id: 'a' }, { $inc: { balance: 5 } })
    const error = await errorOf(running.accounts.updateOne({ _id: 'a' }, { $inc: { balance: 1 } }, { session }))
    t.equal(error.code, 112)
    await session.abortTransaction()
  })
  t.equal((await running.accounts.findOne({ _id: 'a' }))!.balance, 15)
})

t.test('two transactions cannot insert one unique key', async t => {
  const running = await accounts(t)
  await withSession(running, async first => {
    await withSession(running, async second => {
      first.startTransaction()
      second.startTransaction()
      await running.accounts.insertOne({ _id: 'new', balance: 1 }, { session: first })
      t.equal((await errorOf(running.accounts.insertOne({ _id: 'new', balance: 2 }, { session: second }))).code, 112)
      await first.commitTransaction()
      await second.abortTransaction()
    })
  })
  t.same(await running.accounts.findOne({ _id: 'new' }), { _id: 'new', balance: 1 })
})

t.test('a key that was inserted after the snapshot is a conflict and not a duplicate', async t => {
  const running = await accounts(t)
  await withSession(running, async session => {
    session.startTransaction()
    await running.accounts.findOne({}, { session })
    await running.accounts.insertOne({ _id: 'late', balance: 1 })
    const error = await errorOf(running.accounts.insertOne({ _id: 'late', balance: 2 }, { session }))
    t.equal(error.code, 112)
    await session.abortTransaction()
  })
})

t.test('a duplicate key in a transaction is an error that aborts it', async t => {
  const running = await accounts(t)
  await withSession(running, async session => {
    session.startTransaction()
    await running.accounts.insertOne({ _id: 'c', balance: 1 }, { session })
    t.equal((await errorOf(running.accounts.insertOne({ _id: 'a', balance: 1 }, { session }))).code, 11000)
    t.equal((await errorOf(session.commitTransaction())).code, 251)
  })
  t.equal(await running.accounts.findOne({ _id: 'c' }), null)
})

t.test('a plain write waits for a transaction that has locked its document', async t => {
  const running = await accounts(t)
  await withSession(running, async session => {
    session.startTransaction()
    await running.accounts.updateOne({ _id: 'a' }, { $inc: { balance: 1 } }, { session })
    const order: string[] = []
    const plain = running.accounts.updateOne({ _id: 'a' }, { $inc: { balance: 10 } }).then(result => { order.push('plain'); return result })
    const insert = running.accounts.insertOne({ _id: 'z', balance: 0 })
    await insert
    order.push('commit')
    await session.commitTransaction()
    t.equal((await plain).modifiedCount, 1)
    t.same(order, ['commit', 'plain'])
  })
  t.equal((await running.accounts.findOne({ _id: 'a' }))!.balance, 21)
})

t.test('a plain write waits no longer than its maxTimeMS', async t => {
  const running = await accounts(t)
  await withSession(running, async session => {
    session.startTransaction()
    await running.accounts.updateOne({ _id: 'a' }, { $inc: { balance: 1 } }, { session })
    const error = await errorOf(running.db.command({ update: 'accounts', updates: [{ q: { _id: 'a' }, u: { $inc: { balance: 1 } } }], maxTimeMS: 20 }))
    t.equal(error.code, 50)
    await session.abortTransaction()
  })
})

t.test('withTransaction retries until all concurrent transfers have succeeded', async t => {
  const running = await accounts(t)
  await Promise.all(Array.from({ length: 8 }, async () => {
    await withSession(running, async session => {
      for (let i = 0; i < 5; i++) {
        await session.withTransaction(async () => {
          const from = await running.accounts.findOne({ _id: 'a' }, { session })
          await running.accounts.updateOne({ _id: 'a' }, { $set: { balance: from!.balance - 1 } }, { session })
          await running.accounts.updateOne({ _id: 'b' }, { $inc: { balance: 1 } }, { session })
        })
      }
    })
  }))
  t.same(await running.accounts.find().toArray(), [{ _id: 'a', balance: -30 }, { _id: 'b', balance: 50 }])
})

t.test('ending a session aborts its transaction and releases the locks', async t => {
  const running = await accounts(t)
  await withSession(running, async session => {
    session.startTransaction()
    await running.accounts.updateOne({ _id: 'a' }, { $inc: { balance: 1 } }, { session })
    const plain = running.accounts.updateOne({ _id: 'a' }, { $inc: { balance: 100 } })
    await running.db.admin().command({ endSessions: [session.id] })
    await plain
  })
  t.equal((await running.accounts.findOne({ _id: 'a' }))!.balance, 110)
})

t.test('a second commit does nothing', async t => {
  const running = await accounts(t)
  await withSession(running, async session => {
    session.startTransaction()
    await running.accounts.updateOne({ _id: 'a' }, { $inc: { balance: 1 } }, { session })
    await session.commitTransaction()
    await session.commitTransaction()
  })
  t.equal((await running.accounts.findOne({ _id: 'a' }))!.balance, 11)
})

t.test('a drop waits for the transaction that has written to the collection', async t => {
  const running = await accounts(t)
  await withSession(running, async session => {
    session.startTransaction()
    await running.accounts.insertOne({ _id: 'c', balance: 1 }, { session })
    const order: string[] = []
    const dropped = running.accounts.drop().then(() => { order.push('drop') })
    await running.db.command({ ping: 1 })
    order.push('commit')
    await session.commitTransaction()
    await dropped
    t.same(order, ['commit', 'drop'])
  })
  t.equal(await running.accounts.countDocuments(), 0)
})

t.test('a transaction that is older than an index does not use it', async t => {
  const running = await accounts(t)
  await withSession(running, async session => {
    session.startTransaction()
    await running.db.collection('other').findOne({}, { session })
    await running.accounts.createIndex({ balance: 1 })
    const error = await errorOf(running.accounts.find({ balance: 10 }, { session }).toArray())
    t.ok(error.hasErrorLabel('TransientTransactionError'))
    await session.abortTransaction()
  })
})

t.test('others see a collection that a transaction creates only after the commit', async t => {
  const running = await accounts(t)
  const { db } = running
  const names = async () => (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort()
  await withSession(running, async session => {
    session.startTransaction()
    await db.createCollection('empty', { session })
    await db.collection('made').insertOne({ a: 1 }, { session })
    t.same(await names(), ['accounts'])
    t.equal(await db.collection('made').countDocuments(), 0)
    t.equal(await db.collection('made').countDocuments({}, { session }), 1)
    t.equal((await errorOf(db.collection('made').createIndex({ a: 1 }, { session }))).codeName, 'OperationNotSupportedInTransaction')
    await session.abortTransaction()
    t.same(await names(), ['accounts'], 'gone with its transaction')
    session.startTransaction()
    await db.createCollection('empty', { session })
    await db.collection('made').insertOne({ a: [1, 2] }, { session })
    await session.commitTransaction()
  })
  t.same(await names(), ['accounts', 'empty', 'made'])
  t.equal(await db.collection('made').estimatedDocumentCount(), 1)
})

t.test('a plain write that creates a collection waits for a transaction that creates the same', async t => {
  const running = await accounts(t)
  const made = running.db.collection<{ _id: string }>('made')
  await withSession(running, async session => {
    session.startTransaction()
    await made.insertOne({ _id: 'first' }, { session })
    const second = made.insertOne({ _id: 'second' })
    await running.db.command({ ping: 1 })
    await session.commitTransaction()
    await second
  })
  t.same((await made.find().toArray()).map(({ _id }) => _id), ['first', 'second'])
})
