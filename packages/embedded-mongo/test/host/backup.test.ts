import t from 'tap'
import type { Test } from 'tap'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { MongoClient } from 'mongodb'
import type { Db } from 'mongodb'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { fromSources } from '../../../../test/helpers/process.ts'
import { startEngineIn, temporaryFolder } from '../helpers/engine.ts'

const WRITERS = 6
const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

type Row = { _id: string, writer: number, n: number, tags: string[] }
type Counter = { _id: number, n: number, half: number }

function runCli (...args: string[]) {
  return spawn(process.execPath, [...fromSources, cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Each writer counts in a document, adds a row for each number, and moves both of a pair in one transaction. */
function startWriters (client: MongoClient) {
  const rows = client.db('test').collection<Row>('rows')
  const counters = client.db('test').collection<Counter>('counters')
  const acknowledged = Array.from({ length: WRITERS }, () => 0)
  const stopping = new AbortController()
  const write = async (writer: number) => {
    for (let n = 1; !stopping.signal.aborted; n++) {
      await rows.insertOne({ _id: `${writer}-${n}`, writer, n, tags: [`t${n % 3}`, `w${writer}`] })
      await client.withSession(async session => await session.withTransaction(async () => {
        await counters.updateOne({ _id: writer }, { $inc: { n: 1 } }, { session, upsert: true })
        await counters.updateOne({ _id: writer }, { $inc: { half: 0.5 } }, { session })
      }))
      acknowledged[writer] = n
    }
  }
  const writing = Promise.all(acknowledged.map(async (_, writer) => { await write(writer) }))
  return {
    acknowledged,
    /** Resolves when every writer has come further than this. */
    async reach (n: number) {
      while (acknowledged.some(done => done < n)) await client.db('test').command({ ping: 1 })
    },
    async stop () {
      stopping.abort()
      await writing
    }
  }
}

/** The copy must be a state there was: per writer everything up to some number, and nothing torn. */
async function checkCopy (t: Test, db: Db, acknowledged: readonly number[]): Promise<void> {
  const rows = db.collection<Row>('rows')
  const counters = new Map((await db.collection<Counter>('counters').find().toArray()).map(counter => [counter._id, counter]))
  const all = await rows.find().hint({ $natural: 1 }).toArray()
  for (let writer = 0; writer < WRITERS; writer++) {
    const ns = all.filter(row => row.writer === writer).map(({ n }) => n)
    t.same(ns, ns.map((_, i) => i + 1), 'no row is missing before the last one')
    const counted = counters.get(writer)?.n ?? 0
    t.ok(ns.length === counted || ns.length === counted + 1, 'the counter is of the same moment')
    t.equal(counters.get(writer)?.half ?? 0, counted / 2, 'no transaction is torn')
    t.ok(counted >= acknowledged[writer]!, 'what had been acknowledged is in it')
  }
  for (const { name } of await rows.indexes()) {
    t.same((await rows.find().hint(name!).map(({ _id }) => _id).toArray()).sort(), all.map(({ _id }) => _id).sort(), `${name} has every row`)
  }
  t.equal(await rows.estimatedDocumentCount(), all.length)
}

t.test('copies made while six clients write are states that existed, and engines start on them', async t => {
  const folder = temporaryFolder(t)
  const running = await startEngineIn(t, join(folder, 'data'))
  await running.db.collection('rows').createIndexes([{ key: { writer: 1, n: -1 }, unique: true }, { key: { tags: 1 } }])
  const writers = startWriters(running.client)
  const known: number[][] = []
  for (let copy = 0; copy < 3; copy++) {
    await writers.reach(20 * (copy + 1))
    known.push([...writers.acknowledged])
    await running.engine.backup(join(folder, `copy${copy}`))
  }
  const before = [...writers.acknowledged]
  const beside = runCli('backup', '--data', join(folder, 'data'), '--to', join(folder, 'beside'))
  t.same(await once(beside, 'exit'), [0, null], 'another process copies the folder that is in use')
  await writers.stop()
  known.push(before)

  for (const [i, name] of ['copy0', 'copy1', 'copy2', 'beside'].entries()) {
    const restored = await startEmbeddedMongo({ dataDir: join(folder, name) })
    const client = new MongoClient(restored.uri)
    await checkCopy(t, client.db('test'), known[i]!)
    await client.db('test').collection<Row>('rows').insertOne({ _id: 'new', writer: 99, n: 1, tags: [] })
    await client.close()
    await restored.stop()
  }
})

t.test('a copy overwrites nothing', async t => {
  const folder = temporaryFolder(t)
  const { engine } = await startEngineIn(t, join(folder, 'data'))
  await engine.backup(join(folder, 'copy'))
  await t.rejects(engine.backup(join(folder, 'copy')), { code: 'DATA_FOLDER_UNUSABLE' })
})

t.test('a copy that cannot be written is an error, and the engine continues', async t => {
  const folder = temporaryFolder(t)
  const { engine, db } = await startEngineIn(t, join(folder, 'data'))
  writeFileSync(join(folder, 'file'), '')
  await t.rejects(engine.backup(join(folder, 'file', 'copy')))
  t.match(await db.command({ ping: 1 }), { ok: 1 })
})

t.test('the command serves other processes on a port and ends at SIGTERM', async t => {
  const dataDir = join(temporaryFolder(t), 'data')
  const server = runCli('--data', dataDir, '--port', '0')
  t.teardown(() => { server.kill('SIGKILL') })
  const [uri] = await once(createInterface({ input: server.stdout }), 'line') as [string]
  t.match(uri, /^mongodb:\/\/127\.0\.0\.1:\d+\//)
  const client = new MongoClient(uri)
  await client.db('test').collection<{ _id: number }>('items').insertOne({ _id: 1 })
  const asSet = new MongoClient(`${uri.split('?')[0]}?replicaSet=embedded`)
  t.equal(await asSet.db('test').collection('items').countDocuments(), 1, 'also for a client that looks for the set')
  await asSet.close()
  server.kill('SIGTERM')
  t.same(await once(server, 'exit'), [0, null])
  await client.close()
  const { db } = await startEngineIn(t, dataDir)
  t.equal(await db.collection('items').countDocuments(), 1)
})

t.test('a wrong call of the command prints its usage', async t => {
  const wrong = runCli('--port', '1')
  let message = ''
  wrong.stderr.on('data', chunk => { message += String(chunk) })
  t.same(await once(wrong, 'exit'), [1, null])
  t.match(message, 'usage: embedded-mongo --data DIR')
})

t.test('a port in use is an error, and the folder is released', async t => {
  const folder = temporaryFolder(t)
  const first = await startEmbeddedMongo({ inMemory: true, port: 0 })
  t.teardown(async () => { await first.stop() })
  const port = Number(/:(\d+)\//.exec(first.uri)![1])
  await t.rejects(startEmbeddedMongo({ dataDir: folder, port }), /EADDRINUSE/)
  const second = await startEmbeddedMongo({ dataDir: folder, port: 0 })
  await second.stop()
})
