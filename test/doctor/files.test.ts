import { existsSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ObjectId } from 'mongodb'
import t from 'tap'
import type { Defect } from '../../src/doctor/defect.ts'
import { examine } from '../../src/doctor/index.ts'
import { DiskBlobs } from '../../src/files/disk-blobs.ts'
import { sweepFiles } from '../../src/files/sweep.ts'
import { startApp } from '../helpers/app.ts'
import { contentOf, folderOf, png, uploaded } from '../helpers/files.ts'

const test = await startApp(t, { FILES_FREE_BYTES_MIN: '0' })
const { app: { mongo, files }, call } = test
const [ada, bob] = [await test.register('ada'), await test.register('bob')]
const fileId = await uploaded(test, ada.token, png)
await call('POST', '/api/messages', {
  token: ada.token, body: { receiverId: bob.id, content: '', attachments: [{ fileId }] }
})
const blob = join(folderOf(files), fileId)

async function diagnose (repair = false): Promise<Array<Pick<Defect, 'code'> & { repaired: boolean }>> {
  const found: Array<Pick<Defect, 'code'> & { repaired: boolean }> = []
  await examine(mongo.client, mongo.db!, {
    repair, blobs: files.blobs, onDefect: ({ code }, repaired) => { found.push({ code, repaired }) }
  })
  return found
}

t.test('files that messages carry, or that wait to be sent, are not reported as defects', async t => {
  await uploaded(test, ada.token)
  t.strictSame(await diagnose(), [])
})

t.test('a file whose bytes are lost is found, and cannot be repaired', async t => {
  await rename(blob, `${blob}.away`)
  t.strictSame(await diagnose(true), [{ code: 'FILE_MISSING', repaired: false }])
  await rename(`${blob}.away`, blob)
})

t.test('a message whose file has no row is found', async t => {
  const row = (await files.files.findOneAndDelete({ _id: new ObjectId(fileId) }))!
  const found = await diagnose()
  t.strictSame(found.map(({ code }) => code).sort(), ['FILE_MISSING', 'FILE_ORPHAN'])
  await files.files.insertOne(row)
  t.strictSame(await diagnose(), [])
})

t.test('bytes without a file, and a file that nothing carries, are removed', async t => {
  const stray = join(folderOf(files), new ObjectId().toHexString())
  await writeFile(stray, 'stray')
  const forgotten = await uploaded(test, ada.token)
  await files.files.updateOne({ _id: new ObjectId(forgotten) }, { $unset: { checkAt: '' } })
  t.strictSame(await diagnose(true), [{ code: 'FILE_ORPHAN', repaired: true }, { code: 'FILE_ORPHAN', repaired: true }])
  t.notOk(existsSync(stray))
  await sweepFiles({ ...files, now: () => Date.now() + 1_000 })
  t.equal((await contentOf(test, forgotten, ada.token)).status, 404)
  t.strictSame(await diagnose(), [])
})

t.test('while a backup copies the files none is removed, and the backup is complete or does not exist', async t => {
  const copy = join(t.testdir(), 'files')
  const blobs = files.blobs as DiskBlobs
  const going = await uploaded(test, ada.token)
  const copying = blobs.copyTo(copy)
  while (!await blobs.isHeld()) await new Promise(resolve => { setImmediate(resolve) })
  t.equal((await sweepFiles({ ...files, now: () => Date.now() + 200_000_000 })).removed, 0)
  t.notOk(existsSync(copy) && !await blobs.isHeld())
  await copying
  t.notOk(await blobs.isHeld())
  t.equal(await new DiskBlobs(copy).size(fileId), png.length)
  t.ok(existsSync(join(copy, going)))
  t.notOk(existsSync(`${copy}.partial`))
})
