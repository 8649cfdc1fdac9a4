import t from 'tap'
import { copyFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { checkDatabaseFile } from '../../src/host/database-file.ts'
import { startEngineIn, temporaryFolder } from '../helpers/engine.ts'

const PAGE_BYTES = 4096

type Item = { _id: number, filler: string }

const items = (from: number, count: number, bytes: number): Item[] =>
  Array.from({ length: count }, (_, n) => ({ _id: from + n, filler: 'x'.repeat(bytes) }))

const isRefused = (file: string): boolean => {
  try {
    checkDatabaseFile(file)
    return false
  } catch (error) {
    if ((error as { code?: string }).code === 'DATA_FOLDER_UNUSABLE') return true
    throw error
  }
}

t.test('a file that ends within its data is refused, whichever of its two meta pages is newer', async t => {
  const dataDir = temporaryFolder(t)
  const { db, client, engine } = await startEngineIn(t, dataDir)
  const file = join(dataDir, 'data.mdb')
  const copy = join(temporaryFolder(t), 'data.mdb')
  for (let round = 0; round < 8; round++) {
    // The head before the newest one speaks of a file that is shorter by all of this.
    await db.collection<Item>('items').insertMany(items(round * 1_000, 40, 9_000))
    if (round % 3 === 0) await db.collection<Item>('items').insertOne({ _id: round * 1_000 + 900, filler: '' })
    copyFileSync(file, copy)
    t.notOk(isRefused(copy), 'whole')
    truncateSync(copy, statSync(copy).size - 10 * PAGE_BYTES)
    t.ok(isRefused(copy), `cut in round ${round}`)
  }
  await client.close()
  await engine.stop()
})

t.test('a file that ends within free pages opens with all its data', async t => {
  const dataDir = temporaryFolder(t)
  const first = await startEngineIn(t, dataDir)
  await first.db.collection<Item>('large').insertMany(items(0, 60, 30_000))
  await first.db.collection<Item>('items').insertMany(items(0, 300, 3_000))
  await first.db.collection<Item>('last').insertMany(items(0, 60, 30_000))
  for (const name of ['large', 'last']) await first.db.collection<Item>(name).deleteMany({ _id: { $gt: 5 } })
  // Commits that find enough free pages before the end, so that the end is free too.
  for (const filler of ['y', 'z', 'x']) {
    for (const name of ['large', 'last']) await first.db.collection<Item>(name).updateMany({}, { $set: { filler: filler.repeat(30_000) } })
    await first.db.collection<Item>('items').updateMany({}, { $set: { filler: filler.repeat(3_000) } })
  }
  await first.client.close()
  await first.engine.stop()

  const opened: number[] = []
  const CUTS = [1, 5, 20, 60, 150, 300, 400, 500, 700]
  for (const cut of CUTS) {
    const folder = temporaryFolder(t)
    const copy = join(folder, 'data.mdb')
    copyFileSync(join(dataDir, 'data.mdb'), copy)
    truncateSync(copy, statSync(copy).size - cut * PAGE_BYTES)
    if (isRefused(copy)) continue
    opened.push(cut)
    // To read a page that is not there would end the process.
    const again = await startEngineIn(t, folder)
    t.equal(await again.db.collection<Item>('items').countDocuments({ filler: 'x'.repeat(3_000) }), 300)
    t.same(await again.db.collection<Item>('large').find().toArray(), items(0, 6, 30_000))
    t.same(await again.db.collection<Item>('last').find().toArray(), items(0, 6, 30_000))
    await again.client.close()
    await again.engine.stop()
  }
  t.ok(opened.length > 0 && opened.length < CUTS.length, `whole without the last ${opened.join(', ')} pages, and not without more`)
})
