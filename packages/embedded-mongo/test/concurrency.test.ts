/** Many clients at once on the same few documents: every acknowledged step must show, each exactly once. */
import t from 'tap'
import type { ClientSession, Collection, Db } from 'mongodb'
import { Engine } from '../src/engine/engine.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Binary, docOf } from '../src/values/values.ts'
import { TRANSACTION_LIFETIME_MS } from '../src/engine/sessions.ts'
import { startEngine } from './helpers/engine.ts'

const MANY = 200
const times = <T> (count: number, run: (i: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, async (_, i) => await run(i)))

type Counter = { _id: string, n: number }

t.test('all of 200 concurrent increments of one document count', async t => {
  const { db } = await startEngine(t, { maxPoolSize: 50 })
  const counters = db.collection<Counter>('counters')
  await counters.insertOne({ _id: 'one', n: 0 })
  const [seen] = await Promise.all([
    times(MANY / 2, async () => (await counters.findOneAndUpdate({ _id: 'one' }, { $inc: { n: 1 } }, { returnDocument: 'after' }))!.n),
    times(MANY / 2, async () => await counters.updateOne({ _id: 'one' }, { $inc: { n: 1 } }))
  ])
  t.equal((await counters.findOne({ _id: 'one' }))!.n, MANY)
  t.equal(new Set(seen).size, seen.length, 'no two saw the same number')
})

t.test('upserts of one unique key make one document', async t => {
  const { db } = await startEngine(t, { maxPoolSize: 50 })
  const users = db.collection<{ name: string, n: number }>('users')
  await users.createIndex({ name: 1 }, { unique: true })
  const results = await times(MANY, async () => await users.updateOne({ name: 'ann' }, { $inc: { n: 1 } }, { upsert: true }))
  t.equal(results.filter(({ upsertedCount }) => upsertedCount === 1).length, 1)
  t.same(await users.find({}, { projection: { _id: 0 } }).toArray(), [{ name: 'ann', n: MANY }])
})

t.test('of many inserts of a unique key one succeeds, and the others fail with DuplicateKey', async t => {
  const { db } = await startEngine(t, { maxPoolSize: 50 })
  const names = db.collection<{ _id: string }>('names')
  const codes = await times(MANY, async () => await names.insertOne({ _id: 'ann' }).then(() => 0, (error: { code: number }) => error.code))
  t.same(codes.sort((a, b) => a - b), [0, ...Array.from({ length: MANY - 1 }, () => 11000)])
})

type Job = { _id: number, taken?: number }

/** Takes jobs, oldest first, until none is left. */
async function work (jobs: Collection<Job>, worker: number): Promise<number[]> {
  const taken: number[] = []
  for (;;) {
    const job = await jobs.findOneAndUpdate({ taken: { $exists: false } }, { $set: { taken: worker } }, { sort: { _id: 1 } })
    if (job === null) return taken
    taken.push(job._id)
  }
}

t.test('each item of a queue is taken once, and each worker takes them in order', async t => {
  const { db } = await startEngine(t, { maxPoolSize: 20 })
  const jobs = db.collection<Job>('jobs')
  await jobs.insertMany(Array.from({ length: 300 }, (_, _id) => ({ _id })))
  const taken = await times(10, async worker => await work(jobs, worker))
  t.same(taken.flat().sort((a, b) => a - b), Array.from({ length: 300 }, (_, i) => i))
  for (const one of taken) t.same(one, [...one].sort((a, b) => a - b))
})

t.test('deleting from a queue gives each item to one worker', async t => {
  const { db } = await startEngine(t, { maxPoolSize: 20 })
  const jobs = db.collection<Job>('jobs')
  await jobs.insertMany(Array.from({ length: 200 }, (_, _id) => ({ _id })))
  const taken = await times(250, async () => await jobs.findOneAndDelete({}, { sort: { _id: -1 } }))
  t.same(taken.filter(job => job !== null).map(({ _id }) => _id).sort((a, b) => a - b), Array.from({ length: 200 }, (_, i) => i))
  t.equal(await jobs.estimatedDocumentCount(), 0)
})

const COUNTERS = ['a', 'b', 'c']

/** One step over two of the counters, together or not at all. */
async function transfer (db: Db, session: ClientSession, from: string, to: string): Promise<void> {
  const counters = db.collection<Counter>('counters')
  await session.withTransaction(async () => {
    await counters.updateOne({ _id: from }, { $inc: { n: -1 } }, { session })
    await counters.updateOne({ _id: to }, { $inc: { n: 1 } }, { session })
  })
}

t.test('transactions and plain writes on the same documents both succeed, and no write is lost', async t => {
  const { client, db } = await startEngine(t, { maxPoolSize: 50 })
  const counters = db.collection<Counter>('counters')
  await counters.insertMany(COUNTERS.map(_id => ({ _id, n: 0 })))
  const transfers = times(8, async worker => {
    await client.withSession(async session => {
      for (let i = 0; i < 10; i++) await transfer(db, session, COUNTERS[(worker + i) % 3]!, COUNTERS[(worker + i + 1) % 3]!)
    })
  })
  // Fewer at a time than connections: those that wait must leave one to whom they wait for.
  const plain = times(20, async lane => {
    for (let i = 0; i < MANY / 20; i++) await counters.updateOne({ _id: COUNTERS[(lane + i) % 3]! }, { $inc: { n: 1 } })
  })
  await Promise.all([transfers, plain])
  const all = await counters.find().toArray()
  t.equal(all.reduce((sum, { n }) => sum + n, 0), MANY)
})

t.test('a transaction that exceeds its lifetime is aborted and releases its locks', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-mongo-test-'))
  const engine = new Engine({ path: join(folder, 'data.mdb'), sync: false })
  t.teardown(async () => {
    await engine.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const startedMs = Date.now()
  const session = engine.sessions.get(docOf({ id: new Binary(Buffer.alloc(16), 4) }), startedMs)
  const transaction = session.startTransaction(1n, startedMs)
  transaction.lock('a key')
  engine.sessions.sweep(startedMs + TRANSACTION_LIFETIME_MS)
  t.equal(transaction.state, 'open')
  engine.sessions.sweep(startedMs + TRANSACTION_LIFETIME_MS + 1)
  t.equal(transaction.state, 'aborted')
  t.notOk(engine.store.locks.has('a key'))
  t.throws(() => session.continueTransaction(1n), { message: /has been aborted/ })
})
