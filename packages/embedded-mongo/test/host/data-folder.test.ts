import t from 'tap'
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { startEngineIn, temporaryFolder } from '../helpers/engine.ts'

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

const modesIn = (folder: string): Record<string, string> =>
  Object.fromEntries(readdirSync(folder).map(name => [name.replace(/-\w{8}\./, '.'), modeOf(join(folder, name))]))

const skip = process.platform === 'win32' && 'Windows has no such modes'

t.test('only the owner may read the folder, its files, its socket and its backup', { skip }, async t => {
  const folder = temporaryFolder(t)
  const before = process.umask(0)
  t.teardown(() => { process.umask(before) })
  const dataDir = join(folder, 'made', 'data')
  const { engine } = await startEngineIn(t, dataDir)
  t.equal(modeOf(dataDir), '700')
  t.same(modesIn(dataDir), { 'data.mdb': '600', 'data.mdb-lock': '600', 'engine.lock': '600', 'mongo.sock': '600' })
  const copy = join(folder, 'copy')
  await engine.backup(copy)
  t.equal(modeOf(copy), '700')
  t.same(modesIn(copy), { 'data.mdb': '600' })
})

t.test('an existing folder that others may read becomes private', { skip }, async t => {
  const dataDir = temporaryFolder(t)
  const first = await startEmbeddedMongo({ dataDir })
  await first.stop()
  chmodSync(dataDir, 0o755)
  for (const name of readdirSync(dataDir)) chmodSync(join(dataDir, name), 0o644)
  await startEngineIn(t, dataDir)
  t.equal(modeOf(dataDir), '700')
  t.same(modesIn(dataDir), { 'data.mdb': '600', 'data.mdb-lock': '600', 'engine.lock': '600', 'mongo.sock': '600' })
})

t.test('a shared folder keeps its mode', { skip }, async t => {
  const dataDir = join(temporaryFolder(t), 'like-tmp')
  mkdirSync(dataDir)
  chmodSync(dataDir, 0o1777)
  writeFileSync(join(dataDir, 'of somebody else'), '', { mode: 0o644 })
  await startEngineIn(t, dataDir)
  t.equal(statSync(dataDir).mode & 0o7777, 0o1777)
  t.equal(modeOf(join(dataDir, 'of somebody else')), '644')
  t.equal(modeOf(join(dataDir, 'data.mdb')), '600')
})
