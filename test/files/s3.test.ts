import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import type { Defect } from '../../src/doctor/defect.ts'
import { examine } from '../../src/doctor/index.ts'
import { DiskBlobs } from '../../src/files/disk-blobs.ts'
import { S3Blobs } from '../../src/files/s3-blobs.ts'
import { sweepFiles } from '../../src/files/sweep.ts'
import { startApp } from '../helpers/app.ts'
import { begin, contentOf, goOn, offsetOf, openPatch, png, uploaded } from '../helpers/files.ts'
import { startBucket } from '../helpers/s3.ts'

const bucket = await startBucket(t)
const test = await startApp(t, { S3_URL: bucket.url, METRICS_NETWORKS: '127.0.0.1/32' })
const { app: { files, mongo }, call } = test
const [ada, bob] = [await test.register('ada'), await test.register('bob')]
const { token } = ada
const objectsOf = (id: string) => [...bucket.objects.keys()].filter(key => key.startsWith(id))
const send = async (fileId: string) => (await call('POST', '/api/messages', {
  token, body: { receiverId: bob.id, content: '', attachments: [{ fileId }] }
})).body.message

t.test('a file in the bucket is read whole and in parts, wherever they begin and end', async t => {
  const content = randomBytes(2_500_000)
  const { at } = await begin(test, token, content.length)
  const id = at.split('/').at(-1)!
  for (let offset = 0; offset < content.length; offset += 1_200_000) {
    t.equal(await goOn(at, token, offset, content.subarray(offset, offset + 1_200_000)), 204)
  }
  t.equal(objectsOf(id).length, 3)
  t.same((await contentOf(test, id, token)).bytes, content)
  for (const [first, last] of [[0, 0], [1_199_999, 1_200_000], [100, 2_499_999], [1_200_000, 2_399_999]] as const) {
    const { status, headers, bytes } = await contentOf(test, id, token, { range: `bytes=${first}-${last}` })
    t.equal(status, 206)
    t.equal(headers.get('content-range'), `bytes ${first}-${last}/2500000`)
    t.same(bytes, content.subarray(first, last + 1))
  }
  t.equal((await contentOf(test, id, token, { range: 'bytes=2500000-' })).status, 416)
  const { headers } = await contentOf(test, id, token)
  t.equal((await contentOf(test, id, token, { 'if-none-match': headers.get('etag')! })).status, 304)
  const head = await fetch(`${test.url}/api/files/${id}/content`, {
    method: 'HEAD', headers: { authorization: `Bearer ${token}` }
  })
  t.equal(head.headers.get('content-length'), '2500000')
})

t.test('an upload whose connection breaks continues with what had arrived', async t => {
  const content = randomBytes(9_000_000)
  const { at } = await begin(test, token, content.length)
  const { sending } = openPatch(at, token, 0, content.length)
  const id = at.split('/').at(-1)!
  sending.write(content.subarray(0, 8_900_000))
  while (bucket.objects.get(objectsOf(id)[0]!)!.length === 0) await delay(5)
  sending.destroy()
  const { offset } = await offsetOf(at, token)
  t.ok(offset >= 8_388_608)
  t.equal(await goOn(at, token, offset, content.subarray(offset)), 204)
  t.ok((await contentOf(test, id, token)).bytes.equals(content))
})

t.test('short pieces become one object', async t => {
  const content = randomBytes(300)
  const { at } = await begin(test, token, content.length)
  for (let offset = 0; offset < 300; offset += 30) await goOn(at, token, offset, content.subarray(offset, offset + 30))
  const id = at.split('/').at(-1)!
  t.same((await contentOf(test, id, token)).bytes, content)
  t.equal(objectsOf(id).length, 1)
})

t.test('if the service breaks off an answer, the rest is requested', async t => {
  const content = randomBytes(400_000)
  const id = await uploaded(test, token, content)
  bucket.cuts = 5
  t.ok((await contentOf(test, id, token)).bytes.equals(content))
  t.ok(bucket.cuts <= 0)
  bucket.refuses = (method, key) => method === 'GET' && key !== ''
  t.equal((await contentOf(test, id, token)).status, 503, 'what never comes is no shorter file')
  bucket.refuses = () => false
})

t.test('nothing is lost while the bucket does not answer', async t => {
  const { at } = await begin(test, token, 20)
  bucket.refuses = method => method === 'PUT'
  t.equal(await goOn(at, token, 0, Buffer.alloc(10)), 503)
  bucket.refuses = () => false
  t.strictSame(await offsetOf(at, token), { status: 200, offset: 0 })
  t.equal(await goOn(at, token, 0, Buffer.alloc(10)), 204)
  bucket.refuses = () => true
  t.equal((await offsetOf(at, token)).status, 503)
  bucket.refuses = () => false
  t.equal(await goOn(at, token, 10, Buffer.alloc(10)), 204)
})

t.test('files that are deleted, or that nothing carries, leave the bucket', async t => {
  const deleted = await uploaded(test, token)
  t.equal(objectsOf(deleted).length, 1)
  t.equal((await call('DELETE', `/api/files/${deleted}`, { token })).status, 204)
  t.strictSame(objectsOf(deleted), [])

  const [carried, unsent] = [await uploaded(test, token, png, 'a.png'), await uploaded(test, token)]
  t.match((await send(carried)).attachments, [{ type: 'image/png', width: 1 }])
  bucket.refuses = method => method === 'DELETE'
  const later = { ...files, now: () => Date.now() + 100_000_000 }
  t.ok((await sweepFiles(later)).failed > 0)
  bucket.refuses = () => false
  await sweepFiles(later)
  t.strictSame(objectsOf(unsent), [], 'a removal that failed is made by the next sweep')
  t.equal(objectsOf(carried).length, 1)
})

t.test('the doctor finds objects that the bucket lacks, and objects that nothing needs', async t => {
  const diagnose = async (repair = false) => {
    const found: Array<Pick<Defect, 'code'>> = []
    await examine(mongo.client, mongo.db!, {
      repair, blobs: files.blobs, onDefect: ({ code }) => { found.push({ code }) }
    })
    return found
  }
  const id = await uploaded(test, token)
  await send(id)
  t.strictSame(await diagnose(), [])
  const [key] = objectsOf(id)
  const content = bucket.objects.get(key!)!
  bucket.objects.delete(key!)
  t.strictSame(await diagnose(), [{ code: 'FILE_MISSING' }])
  t.equal((await contentOf(test, id, token)).status, 404)
  bucket.objects.set(key!, content)
  const stray = new ObjectId().toHexString()
  bucket.objects.set(`${stray}/000000000000000`, content).set('something else', content)
  t.strictSame(await diagnose(true), [{ code: 'FILE_ORPHAN' }])
  t.strictSame(objectsOf(stray), [])
  t.ok(bucket.objects.has('something else'))
})

t.test('if the bucket fails, is gone or hangs, every route answers that it is unavailable', async t => {
  const id = await uploaded(test, token, png, 'me.png')
  const { at } = await begin(test, token, 20)
  const unfinished = at.split('/').at(-1)!
  const { profilePicture } = (await call('PUT', '/api/users/me/avatar', { token, body: { fileId: id } })).body.user
  const { url: link } = (await call('POST', '/api/files/links', { token, body: { fileIds: [id] } })).body.links[id]
  const tus = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' }
  const bytes = { 'content-type': 'application/offset+octet-stream' }
  const requests: Array<[string, string, RequestInit]> = [
    ['a POST of a file', '/api/files', { method: 'POST', body: png, headers: { authorization: tus.authorization } }],
    ['a creation', '/api/files', { method: 'POST', headers: { ...tus, 'upload-length': '5' } }],
    ['how far it is', `/api/files/${unfinished}`, { method: 'HEAD', headers: tus }],
    ['going on', `/api/files/${unfinished}`, {
      method: 'PATCH', body: Buffer.alloc(20), headers: { ...tus, ...bytes, 'upload-offset': '0' }
    }],
    ['a download', `/api/files/${id}/content`, { headers: tus }],
    ['a part', `/api/files/${id}/content`, { headers: { ...tus, range: 'bytes=0-1' } }],
    ['a link', link, {}],
    ['a picture of somebody', profilePicture, {}],
    ['the end of an upload', `/api/files/${unfinished}`, { method: 'DELETE', headers: tus }]
  ]
  const outages: Array<[string, () => void]> = [
    ['fails', () => { bucket.refuses = () => true }],
    ['fails when it is read', () => { bucket.refuses = (method, key) => method !== 'GET' || key !== '' }],
    ['is gone', () => { bucket.refuses = () => false; bucket.isGone = true }]
  ]
  for (const [how, cause] of outages) {
    cause()
    for (const [what, path, init] of requests) {
      if (how === 'fails when it is read' && what === 'how far it is') continue
      // It ends, and only its bytes stay.
      if (how !== 'is gone' && what === 'the end of an upload') continue
      const answer = await fetch(test.url + path, init)
      t.equal(answer.status, 503, `${how}: ${what}`)
      t.ok(Number(answer.headers.get('retry-after')) >= 1)
      for (const name of ['cache-control', 'etag', 'content-range', 'content-disposition']) {
        t.equal(answer.headers.get(name), null, `${name} is not that of the file`)
      }
      if (init.method === 'HEAD') continue
      t.match(await answer.json(), { code: 'UNAVAILABLE', retryable: true, retryAfterMs: 1_000, message: /storage/ })
    }
    t.match((await call('GET', '/health/ready')), { status: 200, body: { files: 'down' } })
    t.match(await (await fetch(`${test.url}/metrics`)).text(), /^tidelog_files_up 0$/m)
    bucket.isGone = false
  }
  bucket.refuses = () => false
  await files.blobs.check()
  t.equal((await call('GET', '/health/ready')).body.files, undefined)
  t.equal((await contentOf(test, id, token)).status, 200)
  t.strictSame(await offsetOf(at, token), { status: 404, offset: 0 }, 'what was to be deleted is')
  await sweepFiles({ ...files, now: () => Date.now() + 1_000 })
  t.strictSame(objectsOf(unfinished), [])

  const impatient = new S3Blobs(bucket.url, { answerMsMax: 50 })
  bucket.hangs = true
  await t.rejects(impatient.size(id), { code: 'UNAVAILABLE' })
  bucket.hangs = false
  const stream = await impatient.read(id, 0, png.length)
  bucket.hangs = true
  await t.rejects(buffer(stream!), { code: 'UNAVAILABLE' })
  bucket.hangs = false
})

t.test('a wrong secret is refused', async t => {
  const wrong = new S3Blobs(bucket.url.replace('secret', 'guess'))
  await t.rejects(wrong.size('a'), { code: 'UNAVAILABLE', cause: { message: /403/ } })
})

t.test('a bucket keeps what a folder keeps, however the bytes come and break off', async t => {
  const disk = new DiskBlobs(join(t.testdir(), 'files'))
  const s3 = new S3Blobs(bucket.url, { pieceBytesMin: 10, pieceBytesMax: 25 })
  const writes = fc.array(fc.record({ chunks: fc.array(fc.nat(30), { maxLength: 4 }), breaks: fc.boolean() }), {
    maxLength: 6
  })
  await fc.assert(fc.asyncProperty(writes, fc.nat(200), fc.nat(200), async (given, one, other) => {
    const id = new ObjectId().toHexString()
    for (const blobs of [disk, s3]) await blobs.create(id)
    for (const { chunks, breaks } of given) {
      const bytes = chunks.map(length => randomBytes(length))
      for (const blobs of [disk, s3]) {
        const offset = (await blobs.size(id))!
        const end = offset + Buffer.concat(bytes).length
        const broken = new Error('the link broke')
        await blobs.write(id, offset, Readable.from((async function * () {
          yield * bytes
          if (!breaks) return
          // The disk has written what came before; the bucket writes it then.
          const isWritten = async () => blobs === s3 || await disk.size(id) === end
          while (!await isWritten()) await delay(1)
          throw broken
        })())).catch((error: unknown) => { if (error !== broken) throw error })
      }
    }
    const size = await disk.size(id)
    t.equal(await s3.size(id), size)
    const [from, to] = [Math.min(one, other, size!), Math.min(Math.max(one, other), size!)]
    t.same(await buffer((await s3.read(id, from, to))!), await buffer((await disk.read(id, from, to))!))
    t.equal(await s3.read(id, 0, size! + 1), undefined)
    await s3.remove(id)
    t.equal(await s3.size(id), undefined)
  }), { numRuns: 40, endOnFailure: true })
})
