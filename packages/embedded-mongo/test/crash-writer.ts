/** Writes without pause and prints what has been acknowledged, until it is killed. Not a test by itself. */
import { MongoClient } from 'mongodb'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'

const [dataDir, round] = process.argv.slice(2) as [string, string]
const engine = await startEmbeddedMongo({ dataDir })
const client = new MongoClient(engine.uri)
const db = client.db('test')
const rows = db.collection<{ _id: string, round: number, n: number, tag?: string }>('rows')
const sums = db.collection<{ _id: string, total: number }>('sums')
await rows.createIndex({ round: 1, n: 1 }, { unique: true })
await rows.createIndex({ tag: 1, n: -1 }, { partialFilterExpression: { tag: { $exists: true } } })

const BATCH = 1_500

let next = 0
/** Lets the next large batch begin, so that large ones do not leave the disk to nobody else. */
let acknowledged = () => {}

/** One insert at a time by itself, and every third in a transaction with the sum it belongs to. */
async function write (worker: number): Promise<never> {
  for (;;) {
    const n = next++
    const _id = `${round}-${n}`
    const row = { _id, round: Number(round), n, ...(n % 2 === 0 ? { tag: `w${worker}` } : {}) }
    if (n % 3 !== 0) {
      await rows.insertOne(row)
      if (n % 5 === 0) await rows.updateOne({ _id }, { $set: { tag: 'changed' } })
    } else {
      const session = client.startSession()
      await session.withTransaction(async () => {
        await rows.insertOne(row, { session })
        await sums.updateOne({ _id: `sum-${worker}` }, { $inc: { total: 1 } }, { session, upsert: true })
      })
      await session.endSession()
    }
    process.stdout.write(`${_id}\n`)
    if (n % 20 === 0) acknowledged()
  }
}

/** More than LMDB is given at once, all or nothing. */
async function writeBatches (): Promise<never> {
  const session = client.startSession()
  for (let batch = 0; ; batch++) {
    await new Promise<void>(resolve => { acknowledged = resolve })
    await session.withTransaction(async () => {
      await db.collection('batches').insertMany(Array.from({ length: BATCH }, (_, i) => ({ batch: `${round}-${batch}`, i })), { session })
    })
  }
}

console.log('ready')
await Promise.all([writeBatches(), ...Array.from({ length: 8 }, async (_, worker) => await write(worker))])
