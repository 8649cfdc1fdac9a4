/** What a broken or hostile client sends ends, at most, its own connection; the engine goes on, and its memory is bounded. */
import t from 'tap'
import fc from 'fast-check'
import { Long, serialize } from 'bson'
import type { Document } from 'bson'
import { startEngine } from '../helpers/engine.ts'
import { message, WireClient } from '../helpers/wire-client.ts'

const RUNS = 1_000
const REQUEST_ID = 7

const COMMANDS: Document[] = [
  { hello: 1, client: { driver: { name: 'x', version: '1' } } },
  { find: 'items', filter: { a: { $in: [1, 'x', null, [2]] }, $or: [{ b: { $gt: 1.5 } }, { c: /^x/i }] }, sort: { a: 1, b: -1 }, projection: { a: 1 }, skip: 1, limit: 5 },
  { insert: 'junk', documents: [{ _id: 1, a: [1, { b: Long.fromNumber(5) }] }, { _id: 'x' }], ordered: false },
  { update: 'junk', updates: [{ q: { _id: 1 }, u: { $set: { 'a.0': 3 }, $push: { l: { $each: [3, 1], $sort: 1, $slice: -2 } } }, upsert: true }] },
  { delete: 'junk', deletes: [{ q: { a: { $elemMatch: { $gt: 1, $lt: 9 } } }, limit: 0 }] },
  { findAndModify: 'junk', query: { a: 1 }, sort: { _id: -1 }, update: { $inc: { n: 1 } }, new: true, upsert: true },
  { aggregate: 'items', pipeline: [{ $match: { a: { $gte: 0 } } }, { $unwind: '$a' }, { $group: { _id: '$a', n: { $sum: '$b' } } }, { $sort: { n: 1 } }], cursor: {} },
  { createIndexes: 'junk', indexes: [{ key: { a: 1, 'b.c': -1 }, name: 'ab', partialFilterExpression: { a: { $gt: 1 } } }] },
  { explain: { count: 'items', query: { a: 1 } }, verbosity: 'executionStats' },
  { getMore: Long.fromNumber(5), collection: 'items' },
  { commitTransaction: 1, txnNumber: Long.fromNumber(1), autocommit: false, $db: 'admin' }
]

const sound = fc.constantFrom(...COMMANDS).map(command => message(REQUEST_ID, serialize({ $db: 'fuzz', ...command })))

const flipped = fc.tuple(sound, fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(255)), { minLength: 1, maxLength: 6 })).map(([bytes, changes]) => {
  for (const [at, value] of changes) bytes[Math.floor(at * bytes.length)] = value
  return bytes
})
const cut = fc.tuple(sound, fc.nat(400)).map(([bytes, length]) => {
  const part = bytes.subarray(0, length)
  // With a length that is right, so that what is inside is what is cut.
  if (part.length >= 16) part.writeInt32LE(part.length, 0)
  return part
})
const random = fc.uint8Array({ minLength: 1, maxLength: 300 }).map(bytes => Buffer.from(bytes))
const framed = fc.uint8Array({ maxLength: 300 }).map(bytes => message(REQUEST_ID, bytes))
const sequence = fc.tuple(sound, fc.uint8Array({ minLength: 1, maxLength: 100 })).map(([bytes, tail]) => {
  const both = Buffer.concat([bytes, tail])
  both.writeInt32LE(both.length, 0)
  return both
})

const sent = fc.oneof({ weight: 4, arbitrary: flipped }, cut, random, framed, sequence)

t.test('whatever bytes one client sends, the engine answers the others', async t => {
  const { engine, db } = await startEngine(t)
  await db.collection('items').insertMany([{ a: 1 }, { a: [1, 2], b: 2 }])
  await fc.assert(fc.asyncProperty(fc.array(sent, { minLength: 1, maxLength: 3 }), async messages => {
    const wire = await WireClient.open(engine.uri)
    for (const bytes of messages) wire.send(bytes)
    wire.socket.end()
    while (await wire.reply() !== undefined);
    wire.close()
  }), { numRuns: RUNS })
  t.match(await db.command({ ping: 1 }), { ok: 1 })
  t.equal(await db.collection('items').countDocuments(), 2)
})

const megabytes = () => process.memoryUsage().rss / 2 ** 20

t.test('large messages that are announced but never sent take no memory', async t => {
  const { engine, db } = await startEngine(t)
  await db.command({ ping: 1 })
  const before = megabytes()
  const clients = await Promise.all(Array.from({ length: 200 }, async () => await WireClient.open(engine.uri)))
  for (const client of clients) {
    const head = Buffer.alloc(1_024)
    head.writeInt32LE(48_000_000, 0)
    head.writeInt32LE(2013, 12)
    client.send(head)
  }
  await db.command({ ping: 1 })
  t.ok(megabytes() - before < 200, `${Math.round(megabytes() - before)} MB more`)
  for (const client of clients) client.close()
})

t.test('the engine stops reading from a client that sends without end and reads nothing', async t => {
  const { engine, db } = await startEngine(t)
  await db.collection('large').insertOne({ filler: 'x'.repeat(1_000_000) })
  const wire = await WireClient.open(engine.uri, db.databaseName)
  const before = megabytes()
  wire.socket.pause()
  const ask = message(REQUEST_ID, serialize({ find: 'large', filter: {}, $db: db.databaseName }))
  for (let i = 0; i < 2_000; i++) wire.send(ask)
  for (let i = 0; i < 200; i++) await db.command({ ping: 1 })
  t.ok(megabytes() - before < 300, `${Math.round(megabytes() - before)} MB more`)
  wire.close()
  t.match(await db.command({ ping: 1 }), { ok: 1 })
})

t.test('the engine serves 500 connections', async t => {
  const { engine, db } = await startEngine(t)
  await db.collection<{ _id: number }>('items').insertOne({ _id: 1 })
  const clients = await Promise.all(Array.from({ length: 500 }, async () => await WireClient.open(engine.uri, db.databaseName)))
  const replies = await Promise.all(clients.map(async client => await client.command({ find: 'items' })))
  t.ok(replies.every(({ cursor }) => (cursor as { firstBatch: Document[] }).firstBatch.length === 1))
  for (const client of clients) client.close()
})
