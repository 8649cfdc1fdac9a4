import { request as httpRequest } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.ts'
import { startApp } from '../helpers/app.ts'
import { connectPolling } from '../helpers/polling.ts'
import { connectRaw } from '../helpers/raw-socket.ts'
import { connect, open } from '../helpers/sockets.ts'

const folder = t.testdir({})
let started = 0

/** With a data folder that outlives the test: tap deletes a test's own before its server has closed, which is a failure of the database. */
async function start (t: Test, environment: Record<string, string> = {}) {
  return await startApp(t, { DATA_DIR: join(folder, String(started++)), ...environment })
}

t.test('every event counts as an operation of its user, and a flood above the limit is disconnected', async t => {
  const { url, register, call } = await start(t, { RATE_LIMIT_REQUESTS: '20', LOG_LEVEL: 'silent' })
  const [ann, bob] = [await register('ann'), await register('bob')]
  const socket = await connect(t, url, ann.token) // The first of twenty.
  for (const [event, data] of [['nonsense', {}], ['typing', { conversationId: 'x', on: true }], ['deleteMessage', {}], ['markRead', {}], ['setupUser', {}]] as const) await socket.ask(event, data)
  const { results } = await socket.ask('push', { operations: Array.from({ length: 10 }, (_, index) => ({ opId: String(index), type: 'markRead', conversationId: 'common_chat', seq: 0 })) })
  t.equal(results.length, 10)
  for (let number = 0; number < 4; number++) t.not((await call('GET', '/api/auth/me', { token: ann.token })).status, 429)
  const refused = await socket.ask('setupUser')
  t.match(refused, { success: false, code: 'RATE_LIMITED', retryable: true })
  t.ok(refused.retryAfterMs > 0)
  t.match(await call('GET', '/api/auth/me', { token: ann.token }), { status: 429 })
  socket.socket.emit('setupUser')
  t.match(await socket.wait('error'), { code: 'RATE_LIMITED', event: 'setupUser', retryAfterMs: Number })
  for (let number = 0; number < 100; number++) socket.socket.emit('nonsense')
  t.equal(await socket.gone, 'io server disconnect')
  t.match(socket.all('error').at(-1), { code: 'RATE_LIMITED', event: '', message: 'Too many requests' })
  const again = open(t, url, ann.token)
  const error = await new Promise<Error & { data?: unknown }>(resolve => { again.socket.once('connect_error', resolve) })
  t.match(error, { message: 'Too many requests', data: { code: 'RATE_LIMITED' } })
  t.match(await (await connect(t, url, bob.token)).ask('setupUser'), { success: true }, 'others are not held back')
})

t.test('a body of too many packets is refused unparsed, and its connection is closed', async t => {
  const { url, register } = await start(t)
  const [ann, bob] = [await register('ann'), await register('bob')]
  const witness = await connect(t, url, bob.token)
  const polling = await connectPolling(url, ann.token)
  const refused = await polling.post(Array.from({ length: 131_000 }, () => '42["x"]').join('\x1e'))
  t.match(refused, { status: 429, body: { success: false, code: 'RATE_LIMITED', retryAfterMs: Number } })
  t.ok(Number(refused.headers['retry-after']) >= 1)
  t.match(await polling.poll(), /42\["error",.*"code":"RATE_LIMITED"/s)
  t.equal((await polling.post('3')).status, 400, 'the connection is gone')
  t.match(await witness.ask('setupUser'), { success: true })
})

t.test('packets of one body run in several ticks of the event loop, in order', async t => {
  const { app, url, register } = await start(t, { RATE_LIMIT_SENDS: '0' })
  const [ann, bob] = [await register('ann'), await register('bob')]
  const polling = await connectPolling(url, ann.token)
  let turns = 0
  let isCounting = true
  const count = () => {
    turns++
    if (isCounting) setImmediate(count)
  }
  setImmediate(count)
  const packets = Array.from({ length: 500 }, (_, index) => `42${JSON.stringify(['sendDirectMessage', { receiverId: bob.id, content: String(index) }])}`)
  t.equal((await polling.post(packets.join('\x1e'))).status, 200)
  isCounting = false
  t.ok(turns >= 500 / 8, `${turns} turns`)
  const page = async () => (await app.inject({ url: `/api/messages/${bob.id}?limit=500`, headers: { authorization: `Bearer ${ann.token}` } })).json<{ messages: Array<{ message: string }> }>()
  while ((await page()).messages.length < 500) await delay(20)
  t.strictSame((await page()).messages.map(({ message }) => message), Array.from({ length: 500 }, (_, index) => String(index)))
  // Closed: the server's end would wait for it.
  await polling.post('1')
})

t.test('a websocket that sends many packets at once is answered packet by packet', async t => {
  const { url, register } = await start(t)
  const ann = await register('ann')
  const socket = await connect(t, url, ann.token)
  const answers = await Promise.all(Array.from({ length: 2_000 }, async (_, index) => (await socket.ask('leaveRoom', `room${index}`)).roomId as string))
  t.strictSame(answers, Array.from({ length: 2_000 }, (_, index) => `room${index}`))
})

t.test('the server does not read from a client that does not read, and ends its connection', async t => {
  const { app, url, register } = await start(t, { WAITING_BYTES_MAX: '100000' })
  // Soon, not after 45 seconds: who does not read answers no pings.
  Object.assign(app.io.engine.opts, { pingInterval: 2_000, pingTimeout: 2_000 })
  const ann = await register('ann')
  const polling = await connectPolling(url, ann.token)
  const socket = app.io.of('/').sockets.values().next().value!
  // Else Engine.IO keeps the close packet for half a minute after the end, and this process lives as long.
  Object.assign(socket.conn.transport, { closeTimeout: 1_000 })
  const closed = new Promise(resolve => { socket.once('disconnect', resolve) })
  const { ready } = { ready: app.io.engine.clientsCount }
  t.equal(ready, 1)
  // Each is answered by what it asks for; nobody fetches it.
  const packets = Array.from({ length: 100 }, (_, index) => `42${JSON.stringify(['joinRoom', `room-${index}`.padEnd(64, '-')])}`)
  for (let round = 0; round < 20; round++) {
    const { status } = await Promise.race([polling.post(packets.join('\x1e')), closed.then(() => ({ status: 0 }))])
    if (status !== 200) break
  }
  t.ok(['server namespace disconnect', 'forced server close', 'ping timeout'].includes(await closed as string))
})

t.test('a connection with too many waiting bytes is closed, and no other one is', async t => {
  const { app, url, register, call } = await start(t, { WAITING_BYTES_MAX: '150000', RATE_LIMIT_SENDS: '0' })
  // Who does not read answers no pings: on a slow machine the server would end the connection for that.
  app.io.engine.opts.pingInterval = 3_600_000
  const [ann, bob] = [await register('ann'), await register('bob')]
  const send = { type: 'send', receiverId: ann.id, content: 'x'.repeat(4_000) }
  const operations = Array.from({ length: 30 }, (_, index) => ({ ...send, opId: String(index) }))
  for (let round = 0; round < 2; round++) {
    t.equal((await call('POST', '/api/sync/push', { token: bob.token, body: { operations } })).status, 200)
  }
  const greedy = await connectRaw(t, url, ann.token)
  greedy.tcp.pause()
  const other = await connect(t, url, bob.token)
  const closed = new Promise(resolve => {
    for (const socket of app.io.of('/').sockets.values()) {
      if (socket.data.session.identity.userId === ann.id) socket.once('disconnect', resolve)
    }
  })
  // One answer has 230,000 bytes. The operating system takes the first of them.
  for (let ack = 0; ack < 100; ack++) greedy.emit(ack, 'sync', { newest: 50 })
  t.equal(await closed, 'server namespace disconnect')
  t.match(await other.ask('setupUser'), { success: true })
})

t.test('unused fields of an event are not stored, and an event that is too large is acknowledged', async t => {
  const { url, register, call } = await start(t, { RATE_LIMIT_SENDS: '0' })
  const { OUTBOX_BYTES_MAX: bytesMax } = readConfig({})
  const [ann, bob] = [await register('ann'), await register('bob')]
  const socket = await connect(t, url, ann.token)
  t.match(await socket.ask('setupUser', { junk: 'x'.repeat(1_000_000) }), { success: true })
  const content = '👋'.repeat(4_000)
  const operations = Array.from({ length: 100 }, (_, index) => ({ opId: `operation ${index}`.padEnd(64), type: 'send', receiverId: bob.id, content, clientMessageId: `message ${index}`.padEnd(64), replyTo: null }))
  const { results } = await socket.ask('push', { operations })
  t.ok(results.every(({ success }: { success: boolean }) => success), 'a full outbox of the longest messages is pushed over a socket')
  const again = await call('POST', '/api/sync/push', { token: ann.token, body: { operations } })
  t.equal(again.status, 200, 'and over REST')
  t.ok(again.body.results.every(({ duplicate }: { duplicate?: boolean }) => duplicate))
  const tooLarge = await socket.ask('push', { operations: [...operations, ...operations] })
  const message = new RegExp(`larger than ${bytesMax} bytes: send less at once, a push with fewer operations`)
  t.match(tooLarge, { success: false, code: 'TOO_LARGE', message, retryable: false })
  socket.socket.emit('sendDirectMessage', { receiverId: bob.id, content: 'x'.repeat(bytesMax) })
  t.match(await socket.wait('error'), { code: 'TOO_LARGE', event: 'sendDirectMessage', message: 'Failed to send message' })
  t.match(await call('POST', '/api/sync/push', { token: ann.token, body: { operations: [...operations, ...operations] } }), { status: 413, body: { code: 'TOO_LARGE', message: /send less at once, a push with fewer operations/ } })
  t.match(await socket.ask('sendDirectMessage', { receiverId: bob.id, content: Buffer.alloc(10), more: Array.from({ length: 20 }, () => Buffer.alloc(10)) }), { success: false, code: 'VALIDATION' }, 'binary data')
  t.ok(socket.socket.connected)
  const polling = await connectPolling(url, ann.token)
  const refused = await polling.post('x'.repeat(bytesMax + 1))
  t.match(refused, { status: 413, body: { code: 'TOO_LARGE', message: new RegExp(`${bytesMax} bytes`) } })
  t.match(await polling.post('x', 'application/octet-stream'), { status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } })
  t.match(await polling.post('42["setupUser"]'), { status: 200 }, 'neither ends the connection')
  t.match(await polling.poll(), /userSetup/)
  // Closed: the server's end would wait for it.
  await polling.post('1')
})

t.test('CONNECTs per connection, handshakes per address and sockets per user are limited', async t => {
  const { app, url, register } = await start(t, { RATE_LIMIT_CONNECTS: '3', RATE_LIMIT_HANDSHAKES: '8', SOCKETS_MAX: '2' })
  const [ann, bob] = [await register('ann'), await register('bob')]
  const [first] = await Promise.all([connect(t, url, ann.token), connect(t, url, ann.token)])
  const third = open(t, url, ann.token)
  const error = await new Promise<Error & { data?: unknown }>(resolve => { third.socket.once('connect_error', resolve) })
  t.match(error, { message: 'This user has too many sockets', data: { code: 'RATE_LIMITED', retryAfterMs: Number } })
  const ended = new Promise(resolve => { app.io.of('/').sockets.get(first.socket.id!)!.once('disconnect', resolve) })
  first.socket.close()
  await ended
  await connect(t, url, ann.token)
  const polling = await connectPolling(url, bob.token)
  const many = await polling.post(Array.from({ length: 4 }, () => '40{"token":"x"}').join('\x1e'))
  t.not(many.status, 429, 'a body is refused for the number of its packets only')
  t.equal((await polling.post('3')).status, 400, 'the connection is gone')
  for (let left = 3; left > 0; left--) t.equal((await ask(url)).status, 200)
  const refused = await ask(url)
  t.match(refused, { status: 429, body: { success: false, code: 'RATE_LIMITED' } })
  t.ok(Number(refused.headers['retry-after']) >= 1)
  const socket = open(t, url, bob.token)
  await new Promise(resolve => { socket.socket.once('connect_error', resolve) })
  t.notOk(socket.socket.connected, 'a websocket is refused too')
})

interface Answered { status: number, headers: Record<string, unknown>, body: unknown }

/** A handshake. */
async function ask (url: string): Promise<Answered> {
  return await new Promise((resolve, reject) => {
    httpRequest(`${url}/socket.io/?EIO=4&transport=polling`, response => {
      let text = ''
      response.on('data', chunk => { text += String(chunk) }).on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) as unknown : text })
      })
    }).on('error', reject).end()
  })
}
