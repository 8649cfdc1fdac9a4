import { once } from 'node:events'
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import zlib from 'node:zlib'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import compression from '../../plugins/compression.ts'
import { startApp } from '../helpers/app.ts'

interface Raw { status: number, headers: IncomingHttpHeaders, bytes: Buffer }

/** Sends a request without decoding the answer. */
async function raw (
  url: string, { method = 'GET', body, ...headers }: Record<string, string> = {}
): Promise<Raw> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const sent = httpRequest(url, { method, headers: { ...type, ...headers } })
  sent.end(body)
  const [response] = await once(sent, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode, headers: response.headers, bytes: Buffer.concat(chunks) }
}

const { url, call, register } = await startApp(t, { RATE_LIMIT_SENDS: '0' })
const [ann, bob] = [await register('ann'), await register('bob')]
const say = async (content: string) =>
  await call('POST', '/api/messages', { token: bob.token, body: { receiverId: ann.id, content } })
for (let n = 0; n < 10; n++) await say(`message ${n} é`)
const authorization = `Bearer ${ann.token}`
const list = `${url}/api/conversations`
const history = `${url}/api/messages/${bob.id}`

t.test('an answer of at least 1 KiB is compressed as the client accepts, without changing it', async t => {
  const plain = await raw(history, { authorization })
  t.ok(plain.bytes.length >= 1_024)
  t.notOk(plain.headers['content-encoding'])
  const codings: Array<[accepted: string, coding: string | undefined]> = [
    ['br', 'br'], ['gzip', 'gzip'], ['gzip, deflate, br, zstd', 'br'], ['br;q=0, gzip', 'gzip'],
    ['*', 'br'], ['identity', undefined], ['deflate', undefined], ['br;q=0', undefined], ['', undefined],
    [';;q=,', undefined]
  ]
  const decode = { br: zlib.brotliDecompressSync, gzip: zlib.gunzipSync }
  for (const [accepted, coding] of codings) {
    const { status, headers, bytes } = await raw(history, { authorization, 'accept-encoding': accepted })
    t.equal(status, 200)
    t.equal(headers['content-encoding'], coding, accepted)
    t.match(headers.vary, /accept-encoding/, 'caches keep them apart')
    t.equal(headers['content-length'], String(bytes.length))
    const text = coding === undefined ? bytes : decode[coding as 'br'](bytes)
    t.same(JSON.parse(text.toString()).messages, JSON.parse(plain.bytes.toString()).messages)
    if (coding !== undefined) t.ok(bytes.length < plain.bytes.length / 2, 'at most half as long')
  }
})

t.test('a small answer is not compressed', async t => {
  const { headers, bytes } = await raw(`${url}/api/messages/sync-status`, { authorization, 'accept-encoding': 'br' })
  t.ok(bytes.length < 1_024)
  t.notOk(headers['content-encoding'])
})

t.test('a compressed answer has a weak ETag, which the server recognises', async t => {
  const rooms = await Promise.all(Array.from({ length: 12 }, async (_, n) =>
    await call('POST', '/api/rooms', { token: ann.token, body: { name: `room ${n}` } })))
  t.ok(rooms.every(({ status }) => status === 201))
  const heads = `${url}/api/sync/heads`
  const { headers } = await raw(heads, { authorization, 'accept-encoding': 'gzip' })
  t.match(headers, { 'content-encoding': 'gzip', etag: /^W\/"/, 'cache-control': 'private, no-cache' })
  const again = await raw(heads, { authorization, 'accept-encoding': 'gzip', 'if-none-match': headers.etag! })
  t.match(again, { status: 304, bytes: { length: 0 } })
  t.notOk(again.headers['content-encoding'])
  t.equal(`W/${(await raw(heads, { authorization })).headers.etag}`, headers.etag, 'a plain answer has the strong one')
})

t.test('HEAD is answered like an uncompressed GET, without a body', async t => {
  const got = await raw(list, { authorization })
  const head = await raw(list, { authorization, method: 'HEAD', 'accept-encoding': 'br' })
  t.match(head, { status: 200, bytes: { length: 0 } })
  t.notOk(head.headers['content-encoding'])
  t.equal(head.headers['content-length'], String(got.bytes.length))
})

t.test('the answer of a long poll is compressed', async t => {
  const { cursors } = await synced()
  const waiting = raw(`${url}/api/sync`, {
    method: 'POST', authorization, 'accept-encoding': 'br', body: JSON.stringify({ cursors, waitMs: 25_000 })
  })
  await say('tide '.repeat(400))
  const { headers, bytes } = await waiting
  t.equal(headers['content-encoding'], 'br')
  t.match(zlib.brotliDecompressSync(bytes).toString(), /tide tide/)
})

t.test('answers of /api/auth are never compressed', async t => {
  const login = { username: 'ann', password: 'password-1' }
  for (let n = 0; n < 12; n++) await call('POST', '/api/auth/login', { body: login })
  const { status, headers, bytes } = await raw(`${url}/api/auth/sessions`, { authorization, 'accept-encoding': 'br' })
  t.equal(status, 200)
  t.ok(bytes.length >= 1_024)
  t.notOk(headers['content-encoding'])
})

async function synced (): Promise<{ cursors: Record<string, string> }> {
  const cursors: Record<string, string> = {}
  for (let more = true; more;) {
    const { body } = await call('POST', '/api/sync', { token: ann.token, body: { cursors } })
    for (const { conversationId, cursor } of body.conversations) cursors[conversationId] = cursor
    more = body.hasMore
  }
  return { cursors }
}

/** The plugin alone, with routes that answer with `body`. */
async function alone (t: Test, body: string): Promise<string> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(compression)
  app.get('/', async (_request, reply) => await reply.type('application/json').send(body))
  app.get('/picture', async (_request, reply) => await reply.type('image/png').send(Buffer.from(body)))
  app.get('/compressed', async (_request, reply) =>
    await reply.type('text/plain').header('content-encoding', 'gzip').send(zlib.gzipSync(body, { level: 0 })))
  return await app.listen({ host: '127.0.0.1', port: 0 })
}

t.test('compressed types and other types than text are not compressed', async t => {
  const body = JSON.stringify('x'.repeat(5_000))
  const alike = await alone(t, body)
  const compressed = await raw(`${alike}/compressed`, { 'accept-encoding': 'br' })
  t.equal(compressed.headers['content-encoding'], 'gzip')
  t.equal(zlib.gunzipSync(compressed.bytes).toString(), body)
  t.notOk((await raw(`${alike}/picture`, { 'accept-encoding': 'br' })).headers['content-encoding'])
})

t.test('at most four answers are compressed at once, and the others are sent plain', async t => {
  const base = await alone(t, JSON.stringify('x'.repeat(5_000)))
  const brotliCompress = zlib.brotliCompress
  const held: Array<() => void> = []
  let tell = () => {}
  const fourHeld = new Promise<void>(resolve => { tell = resolve })
  t.teardown(() => { zlib.brotliCompress = brotliCompress })
  zlib.brotliCompress = ((...given: Parameters<typeof brotliCompress>) => {
    held.push(() => { brotliCompress(...given) })
    if (held.length === 4) tell()
  }) as typeof brotliCompress
  const asked = Array.from({ length: 4 }, async () => await raw(base, { 'accept-encoding': 'br' }))
  await fourHeld
  for (let n = 0; n < 3; n++) t.notOk((await raw(base, { 'accept-encoding': 'br' })).headers['content-encoding'])
  for (const release of held.splice(0)) release()
  for (const { headers } of await Promise.all(asked)) t.equal(headers['content-encoding'], 'br')
  const next = raw(base, { 'accept-encoding': 'gzip' })
  t.equal((await next).headers['content-encoding'], 'gzip', 'their places are free again')
})

t.test('an answer whose compression fails is sent plain', async t => {
  const base = await alone(t, JSON.stringify('x'.repeat(5_000)))
  const gzip = zlib.gzip
  t.teardown(() => { zlib.gzip = gzip })
  zlib.gzip = ((_bytes: Buffer, _options: object, done: zlib.CompressCallback) => {
    done(new Error('no memory'), Buffer.alloc(0))
  }) as typeof gzip
  for (let n = 0; n < 6; n++) {
    const { status, headers, bytes } = await raw(base, { 'accept-encoding': 'gzip' })
    t.equal(status, 200)
    t.notOk(headers['content-encoding'])
    t.equal(bytes.length, 5_002)
  }
})
