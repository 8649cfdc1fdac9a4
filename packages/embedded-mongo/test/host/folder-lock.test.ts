import t from 'tap'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { MongoClient } from 'mongodb'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { fromSources } from '../../../../test/helpers/process.ts'
import { FolderLock } from '../../src/host/folder-lock.ts'
import { startEngineIn, temporaryFolder } from '../helpers/engine.ts'

/** Arguments of `unshare` under which a process is pid 1 of a world of its own, as in a container, and dies with it. */
const CONTAINER = ['--pid', '--fork', '--mount-proc', '--net', '--kill-child']
const cannotContain = spawnSync('unshare', [...CONTAINER, 'true']).status === 0 ? false : 'unshare does not work here'

type Test = { teardown: (handler: () => void) => unknown }

/** Starts one of the scripts beside this file. */
function run (t: Test, script: string, folder: string, { contained = false } = {}): ChildProcess {
  const node = [process.execPath, ...fromSources, fileURLToPath(new URL(script, import.meta.url)), folder]
  const [command, ...args] = contained ? ['unshare', ...CONTAINER, ...node] : node
  const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  return child
}

async function lineOf (child: ChildProcess): Promise<string> {
  const [line] = await once(createInterface({ input: child.stdout! }), 'line') as [string]
  return line
}

async function hold (t: Test, folder: string, contained: boolean) {
  const child = run(t, 'folder-holder.ts', folder, { contained })
  const told = JSON.parse(await lineOf(child)) as { pid: number, uri: string, refused?: string }
  return { ...told, child }
}

t.test('of two containers that open one folder, the second is refused', { skip: cannotContain }, async t => {
  const folder = temporaryFolder(t)
  const first = await hold(t, folder, true)
  const client = new MongoClient(first.uri)
  t.teardown(async () => { await client.close() })
  const items = client.db('test').collection<{ _id: number }>('items')
  await items.insertOne({ _id: 1 })
  const files = readdirSync(folder).sort()
  const lock = readFileSync(join(folder, 'engine.lock'), 'utf8')

  const second = await hold(t, folder, true)
  t.same([first.pid, second.pid], [1, 1], 'both have the same pid')
  t.match(second.refused, /is in use by process 1 on /)
  t.same(readdirSync(folder).sort(), files)
  t.equal(readFileSync(join(folder, 'engine.lock'), 'utf8'), lock)
  await items.insertOne({ _id: 2 })

  first.child.kill('SIGKILL')
  const third = await hold(t, folder, true)
  t.equal(third.refused, undefined, 'when the first is killed, the next one starts at once')
  const after = new MongoClient(third.uri)
  t.equal(await after.db('test').collection('items').countDocuments(), 2)
  await after.close()
})

t.test('a process beside a container is refused too', { skip: cannotContain }, async t => {
  const folder = temporaryFolder(t)
  await hold(t, folder, true)
  await t.rejects(startEmbeddedMongo({ dataDir: folder }), { code: 'DATA_FOLDER_LOCKED' })
})

t.test('of ten engines that start at once, after one was killed, exactly one takes the folder', async t => {
  const folder = temporaryFolder(t)
  const takers = Array.from({ length: 11 }, () => run(t, 'lock-taker.ts', folder))
  const lines = takers.map(({ stdout }) => createInterface({ input: stdout! })[Symbol.asyncIterator]())
  const next = async (index: number) => (await lines[index]!.next()).value as string
  await Promise.all(takers.map((_, index) => next(index)))
  const [killed, ...starters] = takers
  killed!.stdin!.write('\n')
  t.equal(await next(0), 'taken')
  for (const { stdin } of starters) stdin!.write('\n')
  killed!.kill('SIGKILL')
  const told = await Promise.all(starters.map((_, index) => next(index + 1)))
  t.same(told.sort(), [...Array.from({ length: 9 }, () => 'DATA_FOLDER_LOCKED'), 'taken'])
})

t.test('another machine\'s old lock is taken over on a local disk, and refused on a shared file system', async t => {
  const file = join(temporaryFolder(t), 'engine.lock')
  const left = JSON.stringify({ pid: 7, host: 'elsewhere', machine: 'another', token: 'its own' })
  writeFileSync(file, left)
  t.throws(() => new FolderLock(file, () => false), { code: 'DATA_FOLDER_LOCKED', message: /process 7 on elsewhere .*delete .*engine\.lock and start again/ })
  t.equal(readFileSync(file, 'utf8'), left, 'its name stays')
  new FolderLock(file, () => true).release()
  const lock = new FolderLock(file, () => false)
  t.ok(await lock.isKept())
  lock.release()
  new FolderLock(file, () => false).release()
  t.pass('what was given back is anybody\'s')
})

t.test('the old lock of a process of this machine is taken over on every file system', async t => {
  const file = join(temporaryFolder(t), 'engine.lock')
  const first = new FolderLock(file)
  const left = readFileSync(file, 'utf8')
  first.release()
  writeFileSync(file, left)
  new FolderLock(file, () => false).release()
  t.equal(readFileSync(file, 'utf8'), '')
})

t.test('an engine whose folder is deleted fails, and acknowledges no more writes', async t => {
  const dataDir = temporaryFolder(t)
  const { engine, db, client } = await startEngineIn(t, dataDir)
  const items = db.collection<{ _id: number }>('items')
  await items.insertOne({ _id: 1 })
  rmSync(dataDir, { recursive: true })
  const acknowledged = items.insertOne({ _id: 2 }).then(() => true, () => false)
  t.match((await engine.failed).message, /was deleted or replaced while it was in use/)
  await client.close()
  t.notOk(await acknowledged)
})

t.test('an idle engine notices the deletion too, and its end does not harm the engine that replaced it', async t => {
  const dataDir = temporaryFolder(t)
  const first = await startEngineIn(t, dataDir)
  renameSync(dataDir, `${dataDir}.old`)
  t.teardown(() => { rmSync(`${dataDir}.old`, { recursive: true, force: true }) })
  const second = await startEngineIn(t, dataDir)
  t.match((await first.engine.failed).message, /was deleted or replaced/)
  await first.client.close()
  await first.engine.stop()
  t.match(await second.db.command({ ping: 1 }), { ok: 1 })
  t.ok(existsSync(decodeURIComponent(/\/\/([^/?]+)/.exec(second.engine.uri)![1]!)))
  await t.rejects(startEmbeddedMongo({ dataDir }), { code: 'DATA_FOLDER_LOCKED' })
})
