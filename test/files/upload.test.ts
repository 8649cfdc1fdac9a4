import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { requireSpace } from '../../src/files/quota.ts'
import { startApp } from '../helpers/app.ts'
import { begin, contentOf, folderOf, goOn, offsetOf, png, upload, uploaded } from '../helpers/files.ts'

const limits = {
  FILE_BYTES_MAX: '1000000',
  FILES_USER_BYTES_MAX: '2000000',
  FILES_FREE_BYTES_MIN: '0',
  FILE_TYPES: 'image/*, text/plain, application/octet-stream',
  REQUEST_TIMEOUT: '1'
}
const test = await startApp(t, limits)
const { files } = test.app
const usageOf = async (id: string) => await files.usage.findOne({ _id: new ObjectId(id) })
const blobs = () => readdirSync(folderOf(files))
const user = async (name: string) => await test.register(name)

t.test('a file is uploaded as the body of one request, and read back', async t => {
  const ada = await user('ada')
  const { status, body } = await upload(test, ada.token, png, 'red.png', { 'content-type': 'text/html' })
  t.equal(status, 201)
  const { _id } = body.file
  t.strictSame(
    body, { success: true, file: { _id, name: 'red.png', type: 'image/png', size: png.length, width: 1, height: 1 } }
  )
  t.strictSame((await test.call('GET', `/api/files/${_id}`, { token: ada.token })).body, body)
  const { status: read, headers, bytes } = await contentOf(test, _id, ada.token)
  t.equal(read, 200)
  t.same(bytes, png)
  t.equal(headers.get('content-type'), 'image/png')
  t.strictSame(await usageOf(ada.id), { _id: new ObjectId(ada.id), bytes: png.length, unfinished: 0 })
})

t.test('a client gets ranges of a file, and 304 for what it has cached', async t => {
  const { token } = await user('parts')
  const content = randomBytes(1_000)
  const id = await uploaded(test, token, content)
  const part = await contentOf(test, id, token, { range: 'bytes=10-19' })
  t.equal(part.status, 206)
  t.equal(part.headers.get('content-range'), 'bytes 10-19/1000')
  t.same(part.bytes, content.subarray(10, 20))
  t.same((await contentOf(test, id, token, { range: 'bytes=-5' })).bytes, content.subarray(-5))
  t.same((await contentOf(test, id, token, { range: 'bytes=-2000' })).bytes, content)
  t.same((await contentOf(test, id, token, { range: 'bytes=990-5000' })).bytes, content.subarray(990))
  for (const range of ['bytes=1000-', 'bytes=-0']) {
    const { status, headers } = await contentOf(test, id, token, { range })
    t.equal(status, 416)
    t.equal(headers.get('content-range'), 'bytes */1000')
  }
  for (const range of ['bytes=20-10', 'bytes=0-1,5-6', 'bytes=-', 'lines=1-2']) {
    const { status, bytes } = await contentOf(test, id, token, { range })
    t.equal(status, 200, `${range} is not heeded`)
    t.equal(bytes.length, 1_000)
  }
  const expecting = { range: 'bytes=0-1', 'if-range': '"another"' }
  t.equal((await contentOf(test, id, token, expecting)).status, 200, 'not a part of something else')
  const etag = part.headers.get('etag')!
  const asking = request(
    `${test.url}/api/files/${id}/content`, { headers: { authorization: `Bearer ${token}`, 'if-none-match': etag } }
  )
  asking.end()
  const [again] = await once(asking, 'response')
  t.equal(again.statusCode, 304)
  again.resume()
})

t.test('an upload resumes where it stopped', async t => {
  const { token, id: userId } = await user('resuming')
  const content = randomBytes(300_000)
  const { status, at } = await begin(test, token, content.length, 'whole.bin')
  t.equal(status, 201)
  t.strictSame(await offsetOf(at, token), { status: 200, offset: 0 })
  t.equal(await goOn(at, token, 0, content.subarray(0, 100_000)), 204)
  t.strictSame(await offsetOf(at, token), { status: 200, offset: 100_000 })
  t.equal(await goOn(at, token, 50_000, content.subarray(50_000)), 409, 'not from elsewhere')
  const id = at.split('/').at(-1)!
  t.equal((await contentOf(test, id, token)).status, 404, 'nobody reads half a file')
  t.equal((await usageOf(userId))?.unfinished, 1)
  t.equal(await goOn(at, token, 100_000, content.subarray(100_000)), 204)
  t.same((await contentOf(test, id, token)).bytes, content)
  t.equal((await test.call('GET', `/api/files/${id}`, { token })).body.file.name, 'whole.bin')
  t.equal((await usageOf(userId))?.unfinished, 0)
})

t.test('an upload whose last bytes came just before a crash is finished when it is asked for', async t => {
  const { token } = await user('crashed')
  const content = randomBytes(1_000)
  const { at } = await begin(test, token, content.length)
  const id = at.split('/').at(-1)!
  await goOn(at, token, 0, content)
  await files.files.updateOne({ _id: new ObjectId(id) }, { $set: { state: 'uploading' }, $unset: { type: '' } })
  t.strictSame(await offsetOf(at, token), { status: 200, offset: 1_000 })
  t.equal((await test.call('GET', `/api/files/${id}`, { token })).body.file.type, 'application/octet-stream')
})

t.test('a body may take longer than other requests, while its bytes keep coming', async t => {
  const { token } = await user('slow')
  const sending = request(
    `${test.url}/api/files`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-length': 8 } }
  )
  const answered = once(sending, 'response')
  for (let part = 0; part < 8; part++) {
    sending.write('x')
    await delay(250)
  }
  sending.end()
  const [answer] = await answered
  t.equal(answer.statusCode, 201)
  answer.resume()
  const idle = request(
    `${test.url}/api/files`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-length': 8 } }
  )
  idle.write('x')
  const [error] = await once(idle, 'error')
  t.match(error, { code: 'ECONNRESET' }, 'one whose bytes stop is closed')
  idle.destroy()
})

t.test('a body that breaks off leaves nothing', async t => {
  const { token, id } = await user('breaking')
  const sending = request(`${test.url}/api/files`, {
    method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-length': 100_000 }
  })
  sending.on('error', () => {})
  sending.write(randomBytes(50_000))
  while ((await usageOf(id))?.unfinished !== 1) await delay(10)
  sending.destroy()
  while ((await usageOf(id))?.bytes !== 0) await delay(10)
  t.strictSame(await usageOf(id), { _id: new ObjectId(id), bytes: 0, unfinished: 0 })
})

t.test('files that are too large, or of a refused type, are refused', async t => {
  const { token, id } = await user('limited')
  const before = blobs().length
  const large = await upload(test, token, Buffer.alloc(1_000_001))
  t.equal(large.status, 413)
  t.match(large.body, { code: 'TOO_LARGE', message: /1000000 bytes/ })
  t.equal((await begin(test, token, 1_000_001)).status, 413)
  const pdf = await upload(test, token, '%PDF-1.7\n', 'a.png')
  t.equal(pdf.status, 415)
  t.match(pdf.body, { code: 'UNSUPPORTED_MEDIA_TYPE', message: /application\/pdf/ })
  const chunked = await fetch(`${test.url}/api/files`, {
    method: 'POST', headers: { authorization: `Bearer ${token}` }, body: new Blob(['x']).stream(), duplex: 'half'
  } as RequestInit)
  t.match(await chunked.json(), { code: 'VALIDATION', message: /Content-Length/ })
  t.equal((await usageOf(id))?.bytes ?? 0, 0, 'and takes nothing of the quota')
  t.equal(blobs().length, before)
})

t.test('all files of a user stay within the quota, however many are uploaded at once', async t => {
  const { token, id } = await user('quota')
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () => await upload(test, token, randomBytes(400_000)))
  )
  t.strictSame(answers.map(({ status }) => status).sort(), [201, 201, 201, 201, 201, 413, 413, 413])
  t.match(answers.find(({ status }) => status === 413)?.body, { code: 'QUOTA_EXCEEDED', retryable: false })
  t.equal((await usageOf(id))?.bytes, 2_000_000)
  const first = answers.find(({ status }) => status === 201)!.body.file._id as string
  t.equal((await test.call('DELETE', `/api/files/${first}`, { token })).status, 204)
  t.equal((await contentOf(test, first, token)).status, 404)
  t.equal((await upload(test, token, randomBytes(400_000))).status, 201, 'a deleted file gives its bytes back')
})

t.test('a user has at most ten unfinished uploads', async t => {
  const { token } = await user('unfinished')
  const begun = await Promise.all(Array.from({ length: 12 }, async () => await begin(test, token, 10)))
  t.equal(begun.filter(({ status }) => status === 201).length, 10)
  const { at } = begun.find(({ status }) => status === 201)!
  t.equal((await fetch(at, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })).status, 204)
  t.equal((await offsetOf(at, token)).status, 404)
  t.equal((await begin(test, token, 10)).status, 201, 'a deleted one makes room')
})

t.test('a creation that is repeated with its uploadId returns the same upload, which continues', async t => {
  const [{ token, id: userId }, other] = [await user('lost'), await user('namesake')]
  const content = randomBytes(1_000)
  const create = async (of = token) => await begin(test, of, content.length, 'a.bin', 'mine')
  const atOnce = await Promise.all(Array.from({ length: 12 }, async () => await create()))
  t.strictSame(new Set(atOnce.map(({ status }) => status)), new Set([201]))
  t.equal(new Set(atOnce.map(({ at }) => at)).size, 1)
  t.match(await usageOf(userId), { bytes: content.length, unfinished: 1 })
  const { at } = atOnce[0]!
  t.equal(await goOn(at, token, 0, content.subarray(0, 400)), 204)
  t.match(await create(), { status: 201, at, offset: '400' })
  t.equal(await goOn(at, token, 400, content.subarray(400)), 204)
  t.match(await create(), { status: 201, at, offset: '1000' })
  t.same((await contentOf(test, at.split('/').at(-1)!, token)).bytes, content)
  t.not((await create(other.token)).at, at, 'another user has their own')

  t.match(await begin(test, token, 999, 'a.bin', 'mine'), { status: 409, code: 'IDEMPOTENCY_MISMATCH' })
  t.match(await begin(test, token, 1_000, 'b.bin', 'mine'), { status: 409, code: 'IDEMPOTENCY_MISMATCH' })
  t.match(await begin(test, token, 1_000, 'a.bin', ''), { status: 201 }, 'none')
  t.match(await begin(test, token, 1_000, 'a.bin', 'x'.repeat(101)), { status: 400, code: 'VALIDATION' })

  t.equal((await test.call('DELETE', `/api/files/${at.split('/').at(-1)!}`, { token })).status, 204)
  const again = await create()
  t.match(again, { status: 201, offset: null }, 'what has ended is begun anew')
  t.not(again.at, at)
})

t.test('an upload that was begun just before a crash has its blob when the creation is repeated', async t => {
  const { token } = await user('crashing')
  const { at } = await begin(test, token, 10, 'a.bin', 'mine')
  await files.blobs.remove(at.split('/').at(-1)!)
  t.match(await begin(test, token, 10, 'a.bin', 'mine'), { status: 201, at, offset: '0' })
  t.equal(await goOn(at, token, 0, Buffer.alloc(10)), 204)
})

t.test('uploads leave free the disk space that the database needs', async t => {
  const full = { ...files, limits: { ...files.limits, freeBytesMin: 2 ** 60 } }
  await t.rejects(requireSpace(full, 1), { code: 'STORAGE_FULL', status: 507, retryable: true })
})

t.test('only its user can resume an upload or learn of it', async t => {
  const [ada, eve] = [await user('owner'), await user('stranger')]
  const { at } = await begin(test, ada.token, 10)
  t.equal((await offsetOf(at, eve.token)).status, 404)
  t.equal(await goOn(at, eve.token, 0, Buffer.alloc(10)), 404)
  t.equal((await fetch(at, { method: 'DELETE', headers: { authorization: `Bearer ${eve.token}` } })).status, 404)
  t.equal((await fetch(at, { method: 'HEAD' })).status, 401)
  t.strictSame(await offsetOf(at, ada.token), { status: 200, offset: 0 })
})

t.test('a call outside the protocol is refused with an error that says so', async t => {
  const { token } = await user('wrong')
  const { at } = await begin(test, token, 10)
  const call = async (to: string, method: string, headers: Record<string, string>) => {
    const answer = await fetch(to, { method, headers: { authorization: `Bearer ${token}`, ...headers } })
    return { status: answer.status, body: await answer.json() as { code: string } }
  }
  const length = { 'tus-resumable': '1.0.0', 'upload-defer-length': '1' }
  t.match(await call(`${test.url}/api/files`, 'POST', length), { status: 400, body: { code: 'VALIDATION' } })
  t.match(
    await call(`${test.url}/api/files`, 'POST', { 'tus-resumable': '1.0.0', 'upload-length': 'NaN' }), { status: 400 }
  )
  t.match(await call(at, 'PATCH', { 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-type': 'text/plain' }), {
    status: 400
  })
  t.match(await call(at, 'PATCH', { 'upload-offset': '0' }), { status: 400, body: { message: /Tus-Resumable/ } })
  t.equal(await goOn(at, token, 0, Buffer.alloc(11)), 413, 'more bytes than were announced')
  t.match(await call(`${test.url}/api/files/nothing`, 'GET', {}), { status: 400 })
})
