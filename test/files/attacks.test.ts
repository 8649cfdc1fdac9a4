import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { makeLink } from '../../src/files/links.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { begin, contentOf, goOn, offsetOf, openPatch, png, uploaded } from '../helpers/files.ts'
import { startBucket } from '../helpers/s3.ts'

const bucket = await startBucket(t)
const places = [['folder', {}], ['bucket', { S3_URL: bucket.url }]] as const

const tus = (token: string) => ({ authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' })
const octets = { 'content-type': 'application/offset+octet-stream' }

/** The ids of all blobs. */
async function blobsOf ({ app }: TestApp): Promise<string[]> {
  const ids: string[] = []
  for await (const id of app.files.blobs.ids()) ids.push(id)
  return ids
}

for (const [where, environment] of places) {
  t.test(`files in a ${where}`, async t => {
    const test = await startApp(t, { FILES_FREE_BYTES_MIN: '0', ...environment })

    t.test('headers that no client of the protocol sends are refused, and begin nothing', async t => {
      const { token, id } = await test.register('mallory')
      const creations: Array<Record<string, string>> = [
        ...['-1', 'NaN', '1e3', '0x10', '1.5', '+5', '', ' ', '5, 6', 'Infinity', '9'.repeat(30), '9007199254740993']
          .map(length => ({ 'upload-length': length })),
        ...['filename !', 'filename YQ==,filename YQ==', ',', ' ', 'a b c', `filename ${'%'.repeat(500)}`]
          .map(metadata => ({ 'upload-length': '1', 'upload-metadata': metadata })),
        { 'upload-length': '1', 'upload-concat': 'partial' },
        { 'upload-length': '1', 'upload-concat': 'final;/api/files/a /api/files/b' },
        { 'upload-defer-length': '1' },
        { 'upload-length': '1', 'upload-defer-length': '1' },
        {}
      ]
      for (const given of creations) {
        const answer = await fetch(`${test.url}/api/files`, { method: 'POST', headers: { ...tus(token), ...given } })
        t.ok([400, 413].includes(answer.status), `${JSON.stringify(given).slice(0, 80)}: ${answer.status}`)
        t.match(await answer.json(), { success: false, code: /VALIDATION|TOO_LARGE/ })
      }
      t.strictSame(await blobsOf(test), [])
      t.equal((await test.app.files.usage.findOne({ _id: new ObjectId(id) }))?.bytes ?? 0, 0)

      const { at } = await begin(test, token, 10)
      for (const offset of ['-1', 'NaN', '1e1', '0x0', '', '11', '9'.repeat(30), '0, 0']) {
        const headers = { ...tus(token), ...octets, 'upload-offset': offset }
        const answer = await fetch(at, { method: 'PATCH', headers, body: Buffer.alloc(10) })
        t.ok([400, 409].includes(answer.status), `${offset}: ${answer.status}`)
      }
      const declared = { ...tus(token), ...octets, 'upload-offset': '0', 'upload-length': '1000000000' }
      t.equal((await fetch(at, { method: 'PATCH', headers: declared, body: Buffer.alloc(10) })).status, 400)
      for (const [name, value] of [['x-http-method-override', 'DELETE'], ['tus-resumable', '0.2.2']] as const) {
        const answer = await fetch(at, { method: 'HEAD', headers: { ...tus(token), [name]: value } })
        t.ok([200, 400].includes(answer.status))
      }
      t.strictSame(await offsetOf(at, token), { status: 200, offset: 0 })
    })

    t.test('an upload that is deleted while its bytes arrive leaves nothing, and no bytes uncounted', async t => {
      const { token, id: userId } = await test.register('racer')
      const size = 9_000_000
      const { at } = await begin(test, token, size)
      const id = at.split('/').at(-1)!
      const { sending, status } = openPatch(at, token, 0, size)
      sending.write(randomBytes(8_500_000))
      while (!((await test.app.files.blobs.size(id))! > 0)) await delay(5)
      t.equal((await fetch(at, { method: 'DELETE', headers: tus(token) })).status, 204)
      sending.end(randomBytes(500_000))
      t.ok([undefined, 204, 400, 404, 409].includes(await status), 'the request has ended')
      t.equal((await offsetOf(at, token)).status, 404)
      t.match(await test.app.files.usage.findOne({ _id: new ObjectId(userId) }), { bytes: 0, unfinished: 0 })
      t.notOk((await blobsOf(test)).includes(id))
    })

    t.test('two requests at once do not mix their bytes', async t => {
      const { token } = await test.register('twice')
      const [one, other] = [Buffer.alloc(60_000, 'a'), Buffer.alloc(60_000, 'b')]
      const { at } = await begin(test, token, one.length)
      await Promise.allSettled([one, other, one, other].map(content => goOn(at, token, 0, content)))
      const { offset } = await offsetOf(at, token)
      if (offset < one.length) t.equal(await goOn(at, token, offset, one.subarray(offset)), 204)
      const { bytes } = await contentOf(test, at.split('/').at(-1)!, token)
      t.equal(bytes.length, one.length)
      t.match(String(bytes), /^(a*|b*a*)$/, 'each byte is where one of them had it')
    })

    t.test('conditions and ranges are answered as RFC 9110 says', async t => {
      const { token } = await test.register('reader')
      const content = randomBytes(1_000)
      const [id, empty] = [await uploaded(test, token, content), await uploaded(test, token, '')]
      const etag = `"${id}"`
      const ask = async (headers: Record<string, string>, method = 'GET', of = id) => {
        const sending = request(`${test.url}/api/files/${of}/content`, {
          method, headers: { authorization: `Bearer ${token}`, ...headers }
        })
        sending.end()
        const [answer] = await once(sending, 'response')
        let length = 0
        for await (const chunk of answer) length += chunk.length
        return { status: answer.statusCode, length, range: answer.headers['content-range'], headers: answer.headers }
      }
      const part = { status: 206, length: 10, range: 'bytes 0-9/1000' }
      const cases: Array<[Record<string, string>, object]> = [
        [{ range: 'bytes=0-9' }, part],
        [{ range: 'Bytes=0-9' }, part],
        [{ range: 'bytes=-2000' }, { status: 206, length: 1_000, range: 'bytes 0-999/1000' }],
        [{ range: 'bytes=999-' }, { status: 206, length: 1, range: 'bytes 999-999/1000' }],
        [{ range: 'bytes=0-99999999999999999999' }, { status: 206, length: 1_000 }],
        [{ range: 'bytes=1000-' }, { status: 416, length: 0, range: 'bytes */1000' }],
        [{ range: 'bytes=-0' }, { status: 416, range: 'bytes */1000' }],
        [{ range: 'bytes=99999999999999999999-' }, { status: 416 }],
        [{ range: 'bytes=9-0' }, { status: 200, length: 1_000 }],
        [{ range: 'bytes=0-1,3-4' }, { status: 200, length: 1_000 }],
        [{ range: `bytes=${'0-,'.repeat(3_000)}0-` }, { status: 200, length: 1_000 }],
        [{ range: 'bytes=0x0-1' }, { status: 200 }],
        [{ range: 'bytes=0-9', 'if-range': etag }, part],
        [{ range: 'bytes=0-9', 'if-range': `W/${etag}` }, { status: 200 }],
        [{ range: 'bytes=0-9', 'if-range': 'Mon, 30 Nov 2026 12:00:00 GMT' }, { status: 200 }],
        [{ 'if-none-match': etag }, { status: 304, length: 0, headers: { etag } }],
        [{ 'if-none-match': `"x", W/${etag}` }, { status: 304 }],
        [{ 'if-none-match': '*' }, { status: 304 }],
        [{ 'if-none-match': '"x"' }, { status: 200 }],
        [{ 'if-none-match': etag, range: 'bytes=5000-' }, { status: 304 }],
        [{ 'if-match': etag }, { status: 200 }],
        [{ 'if-match': '*', range: 'bytes=0-9' }, part],
        [{ 'if-match': `W/${etag}` }, { status: 412, length: 0, headers: { 'cache-control': 'no-store' } }],
        [{ 'if-match': '"x"', 'if-none-match': etag }, { status: 412 }]
      ]
      for (const [headers, expected] of cases) {
        t.match(await ask(headers), expected, JSON.stringify(headers).slice(0, 80))
      }
      t.match(await ask({ range: 'bytes=0-9' }, 'HEAD'), {
        status: 200, length: 0, range: undefined, headers: { 'content-length': '1000', etag }
      })
      t.match(await ask({ 'if-none-match': etag }, 'HEAD'), { status: 304 })
      t.match(await ask({}, 'GET', empty), { status: 200, length: 0, headers: { 'content-length': '0' } })
      t.match(await ask({ range: 'bytes=0-' }, 'GET', empty), { status: 416, range: 'bytes */0' })
      t.match((await ask({ range: 'bytes=5000-' })).headers, { 'cache-control': 'no-store' }, 'a refusal is not kept')
    })

    t.test('a link that was changed or has expired is refused', async t => {
      const { token } = await test.register('linked')
      const [id, other] = [await uploaded(test, token, png), await uploaded(test, token)]
      const { url } = (await test.call('POST', '/api/files/links', { token, body: { fileIds: [id] } })).body.links[id]
      const { searchParams } = new URL(url, test.url)
      const [e, s] = [Number(searchParams.get('e')), searchParams.get('s')!]
      const good = await fetch(test.url + url)
      t.equal(good.status, 200)
      t.equal(good.headers.get('x-content-type-options'), 'nosniff')
      t.equal(good.headers.get('content-security-policy'), "sandbox; default-src 'none'")
      t.equal(good.headers.get('cross-origin-resource-policy'), 'cross-origin')
      t.match(good.headers.get('cache-control'), /^private/)

      const path = `/api/files/${id}/content`
      const over = makeLink(test.app.files.linkKey, id, Date.now() - 7_200_001).url
      const foreign = makeLink(randomBytes(32), id, Date.now()).url
      const changed = s.startsWith('A') ? `B${s.slice(1)}` : `A${s.slice(1)}`
      for (const guessed of [
        over, foreign, `${path}?e=${e + 3_600}&s=${s}`, `${path}?e=${e}&s=${changed}`,
      `${path}?e=${e}&s=`,
      `${path}?e=${e}&s=${s.slice(0, -2)}`, `${path}?e=${e}&s=${s}${s}`,
      `${path}?e=1e99&s=${s}`, `${path}?e=-1&s=${s}`,
      `${path}?s=${s}`, `${path}?e=${e}`, `${path}?e=${e}&s=${s}&s=${s}`, `${path}?e=${e}&e=${e}&s=${s}`,
      `/api/files/${other}/content?e=${e}&s=${s}`, `/api/files/${new ObjectId().toHexString()}/content?e=${e}&s=${s}`
      ]) {
        const answer = await fetch(test.url + guessed)
        t.ok([400, 401, 404].includes(answer.status), `${guessed.slice(path.length)}: ${answer.status}`)
        t.notOk(Buffer.from(await answer.arrayBuffer()).includes(png))
      }
      for (const answered of [over, foreign]) t.equal((await fetch(test.url + answered)).status, 404)
      await test.call('DELETE', `/api/files/${id}`, { token })
      t.equal((await fetch(test.url + url)).status, 404, 'nor a link to what is deleted')
    })
  })
}
