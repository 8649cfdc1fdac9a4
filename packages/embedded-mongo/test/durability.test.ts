import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Collection } from 'mongodb'
import type { DataFolderError } from '@tidelog/embedded-mongo'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { fromSources } from '../../../test/helpers/process.ts'
import { startEngineIn, temporaryFolder } from './helpers/engine.ts'

const ROUNDS = 3
/** A round ends after this many acknowledgements, at whatever the writer is doing then. */
const ACKNOWLEDGED_A_ROUND = 80

/** Starts the writer, kills it amid its work, returns what it was told is safe. */
async function killedWriter (dataDir: string, round: number): Promise<string[]> {
  const file = fileURLToPath(new URL('crash-writer.ts', import.meta.url))
  const child = spawn(process.execPath, [...fromSources, file, dataDir, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== 'ready') acknowledged.push(line)
    if (acknowledged.length === ACKNOWLEDGED_A_ROUND) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return acknowledged
}

/** Every index must give exactly the documents that reading the collection gives. */
async function disagreements (rows: Collection<{ _id: string, n: number, tag?: string }>): Promise<string[]> {
  const all = await rows.find().hint({ $natural: 1 }).toArray()
  const found: string[] = []
  for (const { name } of await rows.indexes()) {
    const filter = name === 'tag_1_n_-1' ? { tag: { $exists: true } } : {}
    const byIndex = await rows.find(filter).hint(name!).map(({ _id }) => _id).toArray()
    const expected = all.filter(({ tag }) => name !== 'tag_1_n_-1' || tag !== undefined).map(({ _id }) => _id)
    if (byIndex.sort().join() !== expected.sort().join()) found.push(`${name}: ${byIndex.length} of ${expected.length}`)
  }
  if (await rows.estimatedDocumentCount() !== all.length) found.push('the count')
  return found
}

t.test('after kill -9 every acknowledged write is there, whole, and in every index', async t => {
  const dataDir = temporaryFolder(t)
  const acknowledged: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    acknowledged.push(...await killedWriter(dataDir, round))
    const engine = await startEngineIn(t, dataDir)
    const rows = engine.db.collection<{ _id: string, n: number, tag?: string }>('rows')
    const stored = new Set(await rows.find().map(({ _id }) => _id).toArray())
    t.same(acknowledged.filter(id => !stored.has(id)), [], 'nothing acknowledged is missing')
    t.same(await disagreements(rows), [])
    const sums = await engine.db.collection<{ _id: string, total: number }>('sums').find().toArray()
    const inTransactions = [...stored].filter(id => Number(id.split('-')[1]) % 3 === 0).length
    t.equal(sums.reduce((sum, { total }) => sum + total, 0), inTransactions, 'transactions are whole')
    const batches = await engine.db.collection('batches').aggregate<{ _id: string, n: number }>([{ $group: { _id: '$batch', n: { $sum: 1 } } }]).toArray()
    t.same(batches.filter(({ n }) => n !== 1_500), [], 'large ones too')
    await engine.client.close()
    await engine.engine.stop()
  }
})

t.test('when the disk is full only the affected write fails', { skip: process.platform === 'win32' }, async t => {
  const dataDir = temporaryFolder(t)
  const file = fileURLToPath(new URL('full-disk-writer.ts', import.meta.url))
  // A limit of the size of files, in blocks of 512 bytes, stands for the disk.
  const child = spawn('sh', ['-c', 'trap \'\' XFSZ; ulimit -f 8192; exec "$0" --import tsx --conditions=@tidelog/source "$@"', process.execPath, file, dataDir], { stdio: ['ignore', 'pipe', 'ignore'] })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  const { code, acknowledged, found, counted } = JSON.parse(lines[0]!) as Record<string, number>
  t.equal(code, 14031)
  t.ok(acknowledged! > 50)
  t.same([found, counted], [acknowledged, acknowledged])
  t.equal(lines[1], 'stopped')
  const { db } = await startEngineIn(t, dataDir)
  const items = db.collection<{ _id: number }>('items')
  await items.insertOne({ _id: acknowledged! })
  t.equal(await items.countDocuments(), acknowledged! + 1)
})

t.test('a truncated file is refused', async t => {
  const dataDir = temporaryFolder(t)
  const first = await startEngineIn(t, dataDir)
  await first.db.collection('items').insertMany(Array.from({ length: 200 }, () => ({ filler: 'x'.repeat(20_000) })))
  await first.client.close()
  await first.engine.stop()
  truncateSync(join(dataDir, 'data.mdb'), 500_000)
  await t.rejects(startEmbeddedMongo({ dataDir }), { code: 'DATA_FOLDER_UNUSABLE' })
})

t.test('a folder in use is refused, and the error names the folder and the process that uses it', async t => {
  const dataDir = temporaryFolder(t)
  await startEngineIn(t, dataDir)
  const error = await startEmbeddedMongo({ dataDir }).catch((error: unknown) => error) as DataFolderError
  t.equal(error.code, 'DATA_FOLDER_LOCKED')
  t.ok(error.message.includes(dataDir))
  t.ok(error.message.includes(String(process.pid)))
})

t.test('after a stop the next start finds the folder complete and unlocked', async t => {
  const dataDir = temporaryFolder(t)
  const first = await startEngineIn(t, dataDir)
  await first.db.collection<{ _id: number }>('items').insertMany([{ _id: 1 }, { _id: 2 }])
  await first.db.collection('items').createIndex({ a: 1 })
  await first.db.collection('gone').insertOne({ a: 1 })
  await first.db.collection('gone').drop()
  await first.client.close()
  await first.engine.stop()
  t.same(readdirSync(dataDir).sort(), ['data.mdb', 'data.mdb-lock', 'engine.lock'])
  t.equal(readFileSync(join(dataDir, 'engine.lock'), 'utf8'), '', 'the lock names nobody')
  const second = await startEngineIn(t, dataDir)
  t.equal(await second.db.collection('items').countDocuments(), 2)
  t.same((await second.db.listCollections().toArray()).map(({ name }) => name), ['items'])
  t.same((await second.db.collection('items').indexes()).map(({ name }) => name), ['_id_', 'a_1'])
})

t.test('a file that is not a database of this engine is refused and not changed', async t => {
  const dataDir = temporaryFolder(t)
  const file = join(dataDir, 'data.mdb')
  writeFileSync(file, 'somebody else\'s file, with something in it')
  const error = await startEmbeddedMongo({ dataDir }).catch((error: unknown) => error) as DataFolderError
  t.equal(error.code, 'DATA_FOLDER_UNUSABLE')
  t.equal(readFileSync(file, 'utf8'), 'somebody else\'s file, with something in it')
})

t.test('the data of an in-memory engine is gone after a stop', async t => {
  const engine = await startEmbeddedMongo({ inMemory: true })
  const folder = decodeURIComponent(engine.uri.slice('mongodb://'.length).split('/')[0]!)
  t.ok(existsSync(folder))
  await engine.stop()
  t.notOk(existsSync(folder))
})
