/** Inserts until the disk is full (a limit on file size stands for it), then tells what works. Not a test by itself. */
import { MongoClient } from 'mongodb'
import type { MongoServerError } from 'mongodb'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'

const engine = await startEmbeddedMongo({ dataDir: process.argv[2]! })
const client = new MongoClient(engine.uri)
const items = client.db('test').collection<{ _id: number, filler?: string }>('items')
let acknowledged = 0
let code: number | undefined
while (code === undefined) {
  await items.insertOne({ _id: acknowledged, filler: 'x'.repeat(20_000) }).then(() => { acknowledged++ }, (error: MongoServerError) => { code = error.code as number ?? -1 })
}
const found = await items.countDocuments()
const counted = await items.estimatedDocumentCount()
console.log(JSON.stringify({ code, acknowledged, found, counted }))
await client.close()
await engine.stop()
console.log('stopped')
