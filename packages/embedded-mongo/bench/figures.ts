/** The figures: each by the driver, and the same work on plain LMDB. */
import { type Database, type Small, entriesEach, small } from './data.ts'
import type { PlainLmdb } from './floors/plain-lmdb.ts'

export interface Figure {
  name: string
  inFlight: number
  /** How many units one operation counts as. */
  units: number
  /** The target rate, in units. */
  perSecondMin?: number
  /** Throws if the answer is wrong. */
  operate: (database: Database, i: number) => Promise<void>
  plain: (lmdb: PlainLmdb, i: number) => unknown
  /** Shortens the rounds to this share, so that a fast writer does not make a small database large. */
  share?: number
}

const batch = 1_000
const page = 100

/** Visits all documents in steps so large that each touches another page of the file. */
const scattered = (i: number, size: number) => i * 7919 % size

const pageOf = (i: number, size: number) => ({ conversationId: `c${scattered(i, size / entriesEach)}`, rev: { $gt: i * 37 % (entriesEach - page) } })

export const figures: Figure[] = [
  {
    name: 'point finds, 32 in flight',
    inFlight: 32,
    units: 1,
    perSecondMin: 12_000,
    operate: async ({ documents, size }, i) => { expect(await documents.findOne({ _id: scattered(i, size) }) !== null, true) },
    plain: (lmdb, i) => lmdb.get(i)
  },
  {
    name: `finds of ${page} documents by an index, 8 in flight`,
    inFlight: 8,
    units: 1,
    perSecondMin: 1_500,
    operate: async ({ entries, size }, i) => {
      const found = await entries.find(pageOf(i, size), { sort: { rev: 1 }, limit: page, singleBatch: true }).toArray()
      expect(found.length, page)
    },
    plain: (lmdb, i) => lmdb.getRange(i, page)
  },
  {
    // The same bytes both ways: the difference is the cost of the driver's cursor.
    name: 'the same by `db.command`, 8 in flight',
    inFlight: 8,
    units: 1,
    operate: async ({ client, entries, size }, i) => {
      const { cursor } = await client.db(entries.dbName).command({ find: entries.collectionName, filter: pageOf(i, size), sort: { rev: 1 }, limit: page, singleBatch: true })
      expect((cursor as { firstBatch: unknown[] }).firstBatch.length, page)
    },
    plain: (lmdb, i) => lmdb.getRange(i, page)
  },
  {
    name: `finds of ${page} documents by \`$in\`, 8 in flight`,
    inFlight: 8,
    units: 1,
    operate: async ({ documents, size }, i) => {
      const ids = Array.from({ length: page }, (_, k) => scattered(i + k, size))
      const found = await documents.find({ _id: { $in: ids } }).toArray()
      expect(found.length, page)
    },
    plain: (lmdb, i) => lmdb.getMany(i, page)
  },
  {
    name: '`$inc` on distinct documents, 32 in flight',
    inFlight: 32,
    units: 1,
    perSecondMin: 8_000,
    operate: async ({ documents, size }, i) => {
      const { modifiedCount } = await documents.updateOne({ _id: scattered(i, size) }, { $inc: { n: 1 } })
      expect(modifiedCount, 1)
    },
    plain: (lmdb, i) => lmdb.change(i)
  },
  {
    name: 'durable inserts, 32 in flight',
    inFlight: 32,
    units: 1,
    perSecondMin: 10_000,
    operate: insert,
    plain: lmdb => lmdb.put()
  },
  {
    name: 'durable inserts, one at a time',
    inFlight: 1,
    units: 1,
    operate: insert,
    plain: lmdb => lmdb.put()
  },
  {
    name: 'transactions of two inserts, 32 in flight',
    inFlight: 32,
    units: 1,
    perSecondMin: 3_000,
    operate: async ({ client, documents, pairs }, i) => {
      const session = client.startSession()
      try {
        session.startTransaction()
        await documents.insertOne(small(i), { session })
        await pairs.insertOne(small(i), { session })
        await session.commitTransaction()
      } finally {
        await session.endSession()
      }
    },
    plain: lmdb => lmdb.putMany(2)
  },
  {
    name: `documents by insertMany of ${batch.toLocaleString('en')}, 2 in flight`,
    inFlight: 2,
    units: batch,
    perSecondMin: 80_000,
    share: 0.25,
    operate: async ({ documents }, i) => {
      const { insertedCount } = await documents.insertMany(Array.from({ length: batch }, (_, k): Small => small(i * batch + k)))
      expect(insertedCount, batch)
    },
    plain: lmdb => lmdb.putMany(batch)
  }
]

async function insert ({ documents }: Database, i: number): Promise<void> {
  const { acknowledged } = await documents.insertOne(small(i))
  expect(acknowledged, true)
}

function expect<T> (got: T, wanted: T): void {
  if (got !== wanted) throw new Error(`The answer is ${String(got)}, not ${String(wanted)}`)
}
