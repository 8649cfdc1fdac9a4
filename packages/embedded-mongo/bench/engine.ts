/**
 * What the engine does in a second, through the official driver, beside a plain loop over LMDB.
 * Run: node --import tsx --conditions=@tidelog/source packages/embedded-mongo/bench/engine.ts [seconds a figure] [name part]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { MongoClient } from 'mongodb'
import type { Collection, Db } from 'mongodb'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'

const seconds = Number(process.argv[2] ?? 3)
const only = process.argv[3] ?? ''

type Scenario = {
  name: string
  inFlight: number
  /** What one operation counts for. */
  units: number
  prepare?: (db: Db) => Promise<void>
  run: (db: Db, client: MongoClient, i: number) => Promise<unknown>
}

type LogEntry = { _id: string, conversationId: string, rev: number, seq: number, senderId: string, clientMessageId: string, text: string, createdAt: Date }

const log = (db: Db): Collection<LogEntry> => db.collection<LogEntry>('log')
const heads = (db: Db) => db.collection<{ _id: string, headRev: number, clock: number, title: string }>('conversations')

async function prepareLog (db: Db): Promise<void> {
  await log(db).createIndexes([
    { key: { conversationId: 1, rev: 1 }, unique: true },
    { key: { conversationId: 1, seq: 1 }, unique: true, partialFilterExpression: { seq: { $exists: true } } },
    { key: { conversationId: 1, senderId: 1, clientMessageId: 1 }, unique: true, partialFilterExpression: { clientMessageId: { $exists: true } } },
    { key: { conversationId: 1, updatedAt: 1 }, partialFilterExpression: { updatedAt: { $exists: true } } }
  ])
  await heads(db).deleteMany({})
  await heads(db).insertMany(Array.from({ length: 1_000 }, (_, i) => ({ _id: `c${i}`, headRev: 0, clock: 0, title: `conversation ${i}` })))
}

function entry (conversationId: string, rev: number): LogEntry {
  return {
    _id: `${conversationId}:${rev}`,
    conversationId,
    rev,
    seq: rev,
    senderId: `u${rev % 50}`,
    clientMessageId: `m${rev}`,
    text: 'a message of an ordinary length, as people write them',
    createdAt: new Date()
  }
}

const revs = new Map<string, number>()

/** The product's write: heads moved by compare-and-set, log entries inserted, one commit. */
async function commitBatch (db: Db, client: MongoClient, i: number, conversations: number, entriesEach: number): Promise<void> {
  const session = client.startSession()
  try {
    session.startTransaction()
    const moves = Array.from({ length: conversations }, (_, k) => {
      const id = `c${(i * conversations + k) % 1_000}`
      const rev = revs.get(id) ?? 0
      revs.set(id, rev + entriesEach)
      return { id, rev }
    })
    await heads(db).bulkWrite(moves.map(({ id, rev }) => ({
      updateOne: { filter: { _id: id, headRev: rev, clock: rev }, update: { $set: { headRev: rev + entriesEach, clock: rev + entriesEach } } }
    })), { session })
    await log(db).insertMany(moves.flatMap(({ id, rev }) => Array.from({ length: entriesEach }, (_, k) => entry(id, rev + k + 1))), { session })
    await session.commitTransaction()
  } finally {
    await session.endSession()
  }
}

const small = (i: number) => ({ n: i, kind: 'a', text: 'a document of about a hundred bytes', at: new Date(0) })

const scenarios: Scenario[] = [
  { name: 'durable inserts, 32 in flight', inFlight: 32, units: 1, run: (db, _client, i) => db.collection('inserts').insertOne(small(i)) },
  { name: 'durable inserts, one at a time', inFlight: 1, units: 1, run: (db, _client, i) => db.collection('inserts1').insertOne(small(i)) },
  { name: 'insertMany of 1,000 (documents)', inFlight: 2, units: 1_000, run: (db, _client, i) => db.collection('many').insertMany(Array.from({ length: 1_000 }, (_, k) => small(i * 1_000 + k))) },
  {
    name: 'point finds, 32 in flight',
    inFlight: 32,
    units: 1,
    prepare: async db => { await db.collection<{ _id: number }>('points').insertMany(Array.from({ length: 10_000 }, (_, i) => ({ _id: i, ...small(i) }))) },
    run: (db, _client, i) => db.collection<{ _id: number }>('points').findOne({ _id: i * 7919 % 10_000 })
  },
  { name: 'updates by _id, 32 in flight', inFlight: 32, units: 1, run: (db, _client, i) => db.collection<{ _id: number }>('points').updateOne({ _id: i * 7919 % 10_000 }, { $set: { n: i } }) },
  {
    name: 'two-statement transactions, 32 in flight',
    inFlight: 32,
    units: 1,
    prepare: async db => {
      await db.createCollection('txn')
      await db.createCollection('txn2')
    },
    run: async (db, client, i) => {
      const session = client.startSession()
      try {
        session.startTransaction()
        await db.collection('txn').insertOne(small(i), { session })
        await db.collection('txn2').insertOne(small(i), { session })
        await session.commitTransaction()
      } finally {
        await session.endSession()
      }
    }
  },
  {
    name: 'commits of 50 heads and 100 entries (entries)',
    inFlight: 1,
    units: 100,
    prepare: prepareLog,
    run: (db, client, i) => commitBatch(db, client, i, 50, 2)
  },
  {
    name: 'finds of 100 entries by conversation and rev',
    inFlight: 8,
    units: 1,
    prepare: async db => {
      for (let c = 0; c < 20; c++) await log(db).insertMany(Array.from({ length: 1_000 }, (_, i) => entry(`f${c}`, i + 1)))
    },
    run: (db, _client, i) => log(db).find({ conversationId: `f${i % 20}`, rev: { $gt: i * 37 % 900 } }, { sort: { rev: 1 }, hint: { conversationId: 1, rev: 1 }, limit: 100, singleBatch: true }).toArray()
  },
  {
    name: 'finds of 100 heads by $in',
    inFlight: 8,
    units: 1,
    run: (db, _client, i) => heads(db).find({ _id: { $in: Array.from({ length: 100 }, (_, k) => `c${(i + k * 7) % 1_000}`) } }).toArray()
  }
]

async function measure (scenario: Scenario, db: Db, client: MongoClient): Promise<string> {
  await scenario.prepare?.(db)
  let i = 0
  const latencies: number[] = []
  const until = performance.now() + seconds * 1_000
  const started = performance.now()
  await Promise.all(Array.from({ length: scenario.inFlight }, async () => {
    while (performance.now() < until) {
      const at = performance.now()
      await scenario.run(db, client, i++)
      latencies.push(performance.now() - at)
    }
  }))
  const rate = latencies.length * scenario.units / (performance.now() - started) * 1_000
  latencies.sort((a, b) => a - b)
  const at = (part: number) => latencies[Math.floor(latencies.length * part)]!.toFixed(1)
  return `${scenario.name.padEnd(48)} ${Math.round(rate).toLocaleString('en').padStart(9)}/s   p50 ${at(0.5)} ms  p99 ${at(0.99)} ms`
}

/** One synced put a turn, gathered as LMDB gathers them: the ceiling of this disk and binding. */
async function plainLmdb (folder: string): Promise<string> {
  const database = open<Buffer, string>({ path: join(folder, 'plain.mdb'), encoding: 'binary', overlappingSync: false })
  const value = Buffer.alloc(100, 1)
  let puts = 0
  const until = performance.now() + seconds * 1_000
  const started = performance.now()
  await Promise.all(Array.from({ length: 32 }, async () => {
    while (performance.now() < until) await database.put(`k${puts++}`, value)
  }))
  const rate = puts / (performance.now() - started) * 1_000
  await database.close()
  return `${'plain LMDB, synced puts, 32 in flight'.padEnd(48)} ${Math.round(rate).toLocaleString('en').padStart(9)}/s`
}

const folder = mkdtempSync(join(tmpdir(), 'engine-bench-'))
try {
  console.log(`${cpus().length} x ${cpus()[0]!.model}, Node ${process.version}, ${seconds} s a figure`)
  if (only === '') console.log(await plainLmdb(folder))
  const engine = await startEmbeddedMongo({ dataDir: join(folder, 'data') })
  const client = new MongoClient(engine.uri, { maxPoolSize: 64 })
  const db = client.db('bench')
  if (only !== '') {
    const points = scenarios.find(({ name }) => name.startsWith('point'))!
    await points.prepare!(db)
    delete points.prepare
    await prepareLog(db)
  }
  for (const scenario of scenarios) if (scenario.name.includes(only)) console.log(await measure(scenario, db, client))
  await client.close()
  await engine.stop()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
