import { once } from 'node:events'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import type { Blobs } from '../../src/files/blobs.ts'
import { DiskBlobs } from '../../src/files/disk-blobs.ts'
import { S3Blobs } from '../../src/files/s3-blobs.ts'
import { startBucket } from '../helpers/s3.ts'

const bucket = await startBucket(t)
const places = [
  new DiskBlobs(join(t.testdir(), 'files')), new S3Blobs(bucket.url, { pieceBytesMin: 4, pieceBytesMax: 8 })
]

/** The ids of all blobs. */
async function idsOf (blobs: Blobs): Promise<string[]> {
  const ids: string[] = []
  for await (const id of blobs.ids()) ids.push(id)
  return ids
}

t.test('a write that began before a fence changes nothing behind it', async () => {
  const length = fc.nat(20)
  await fc.assert(fc.asyncProperty(length, length, length, fc.integer({ min: 1, max: 3 }), async (
    first, early, late, fences
  ) => {
    for (const blobs of places) {
      const id = new ObjectId().toHexString()
      await blobs.create(id)
      await blobs.write(id, 0, Readable.from([Buffer.alloc(first, 'a')]))
      const sleeper = new PassThrough()
      let settled = () => {}
      const isSettled = new Promise<void>(resolve => { settled = resolve })
      const sleeping = blobs.write(id, first, sleeper, async () => { settled() })
      await isSettled
      if (early > 0) {
        sleeper.write(Buffer.alloc(early, 'b'))
        await once(sleeper, 'data')
      }
      for (let fence = 0; fence < fences; fence++) await blobs.fence(id)
      const kept = (await blobs.size(id))!
      const before = await buffer((await blobs.read(id, 0, kept))!)
      await blobs.write(id, kept, Readable.from([Buffer.alloc(15, 'c')]))
      sleeper.end(Buffer.alloc(late, 'd'))
      await sleeping
      const after = await buffer((await blobs.read(id, 0, kept + 15))!)
      if (!after.equals(Buffer.concat([before, Buffer.alloc(15, 'c')])) || await blobs.size(id) !== kept + 15) {
        throw new Error(`the blob is ${String(after)}`)
      }
      await blobs.remove(id)
      if ((await idsOf(blobs)).length > 0) throw new Error('something is left')
    }
  }), { numRuns: 10, endOnFailure: true })
})

t.test('a writer that has lost its lease writes nothing', async t => {
  for (const blobs of places) {
    const id = new ObjectId().toHexString()
    await blobs.create(id)
    const refused = new Error('another has the lease')
    await t.rejects(blobs.write(id, 0, Readable.from([Buffer.alloc(9)]), async () => { throw refused }), refused)
    t.equal(await blobs.size(id), 0)
    await blobs.fence(new ObjectId().toHexString())
    await blobs.remove(id)
    t.strictSame(await idsOf(blobs), [], 'a fence makes nothing')
  }
})
