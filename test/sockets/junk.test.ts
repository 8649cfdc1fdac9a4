import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { clientEvents } from '../../src/schemas/events.ts'
import { startApp } from '../helpers/app.ts'
import { handpicked } from '../helpers/junk.ts'
import { type TestSocket, connect } from '../helpers/sockets.ts'

const { url, register, call } = await startApp(t, { RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0' })
const [ann, bob] = [await register('ann'), await register('bob')]
const events = Object.keys(clientEvents)
const junk = handpicked(bob.id)

/** Sends an event without a callback; whatever comes of it, the connection must still answer afterwards. */
async function survives (socket: TestSocket, event: string, data: unknown[]): Promise<void> {
  socket.socket.emit(event, ...data)
  await socket.ask('setupUser')
}

t.test('chosen junk in every event is answered, with and without a callback', async t => {
  const socket = await connect(t, url, ann.token)
  let asked = 0
  for (const event of events) {
    for (const data of junk) {
      const before = socket.events.length
      const answer = data === undefined ? await socket.ask(event) : await socket.ask(event, data)
      const what = `${event} ${String(JSON.stringify(data)).slice(0, 80)}`
      assert.equal(typeof answer.success, 'boolean', what)
      asked++
      if (answer.success === true) continue
      assert.deepEqual([typeof answer.code, typeof answer.message, typeof answer.retryable], ['string', 'string', 'boolean'], what)
      assert.ok(!['INTERNAL', 'UNAVAILABLE', 'OVERLOADED'].includes(answer.code as string), what)
      assert.equal(socket.events.length, before, `${what}: a callback is the only answer`)
      await survives(socket, event, data === undefined ? [] : [data])
      const { payload } = socket.events.slice(before).find(({ name }) => name === 'error') ?? {}
      assert.deepEqual([payload?.code, payload?.error, payload?.event], [answer.code, answer.message, event], what)
    }
  }
  t.equal(asked, events.length * junk.length)
  t.ok(socket.socket.connected)
})

t.test('a value of any shape in any event is answered', async t => {
  const socket = await connect(t, url, ann.token)
  const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...events) }, { weight: 1, arbitrary: fc.string({ minLength: 1 }).filter(name => !['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].includes(name)) })
  const part = fc.oneof(fc.jsonValue(), fc.constantFrom(...junk))
  const payload = fc.oneof(
    fc.anything({ withBigInt: false, withDate: true, withNullPrototype: true, withTypedArray: true }),
    part,
    fc.record({ receiverId: part, roomId: part, content: part, messageId: part, conversationId: part, seq: part, on: part, token: part, clientMessageId: part, messageType: part }, { requiredKeys: [] })
  ).filter(value => serialisable(value))
  await fc.assert(fc.asyncProperty(name, payload, fc.array(fc.jsonValue(), { maxLength: 2 }), async (event, data, more) => {
    const answer = await socket.ask(event, data, ...more)
    assert.equal(typeof answer.success, 'boolean')
    assert.ok(!['INTERNAL', 'UNAVAILABLE', 'OVERLOADED'].includes(answer.code as string))
  }), { numRuns: 500 })
  t.ok(socket.socket.connected)
})

t.test('an unknown event is answered as unknown, whatever its name', async t => {
  const socket = await connect(t, url, ann.token)
  for (const event of ['nonsense', 'error', 'constructor', '__proto__', 'toString', 'message', '']) {
    t.match(await socket.ask(event, {}), { success: false, code: 'VALIDATION', message: 'There is no such event' }, event)
  }
  socket.socket.emit('nonsense', { clientMessageId: 'c' })
  t.match(await socket.wait('error'), { message: 'Unknown event', code: 'VALIDATION', event: 'nonsense', clientMessageId: 'c' })
})

t.test('packets that no client library sends end at most their own connection', async t => {
  const witness = await connect(t, url, ann.token)
  const packets = [
    '2["disconnect"]', '2["error","x"]', '2["newListener",1]', '2[5,{"a":1}]', '2[null]', '2{}', '2', '', '2["setupUser"', '20["setupUser"]', '2999999999999999999999["setupUser"]',
    '51-["sendDirectMessage",{"_placeholder":true,"num":0}]', '59-[]', '5999999999-[]', '/nowhere,1["x"]', '0/nowhere,', '0', '1', '3["x"]', '37["x"]', '7', '\u0000',
    `2["sendDirectMessage",${'['.repeat(5_000)}${']'.repeat(5_000)}]`, '2["typing",{"__proto__":{"on":true}}]'
  ]
  for (const packet of packets) {
    const { socket } = await connect(t, url, ann.token)
    socket.io.engine.write(packet)
    // Either the server answers what comes behind, or it has closed this connection.
    await Promise.race([new Promise(resolve => { socket.emit('setupUser', resolve) }), new Promise(resolve => { socket.once('disconnect', resolve) })])
    socket.close()
    t.match(await witness.ask('setupUser'), { success: true }, packet.slice(0, 60))
  }
})

t.test('an event with several callbacks or too many arguments does no harm', async t => {
  const socket = await connect(t, url, ann.token)
  t.match(await socket.ask('sendDirectMessage', { receiverId: bob.id, content: 'x' }, 'more', { and: 'more' }), { success: true })
  t.match(await socket.ask('joinRoom', 'den', 'den2'), { success: true, roomId: 'den' })
})

t.test('content is stored as given, in any script; only half characters are replaced', async t => {
  const [socket, receiver] = await Promise.all([connect(t, url, ann.token), connect(t, url, bob.token)])
  for (const content of ['  spaces around \n', '👩‍👩‍👧‍👦 family', 'नमस्ते', 'שלום‎', 'a\u0000b', '<b>&amp;</b>', '{"$gt": ""}', '👋'.repeat(4_000), `  ${'x'.repeat(3_996)}  `]) {
    const { message } = await socket.ask('sendDirectMessage', { receiverId: bob.id, content })
    t.equal(message.message, content)
    t.equal((await receiver.wait('directMessage', ({ _id }) => _id === message._id)).message, content)
    const page = await call('GET', `/api/messages/${bob.id}?limit=1`, { token: ann.token })
    t.equal(page.body.messages[0].message, content)
  }
  t.match(await socket.ask('sendDirectMessage', { receiverId: bob.id, content: '👋'.repeat(4_001) }), { code: 'VALIDATION', message: 'content must not be longer than 4000 characters' })
  for (const content of [`x${' '.repeat(4_000)}`, `${'\n'.repeat(4_000)}x`]) {
    t.match(await socket.ask('sendDirectMessage', { receiverId: bob.id, content }), { code: 'VALIDATION' }, 'what is stored is measured')
  }
  for (const content of ['\u200b', '\u2800\u3164', '\ufe0f', '\u0301', '\u0000\u202e', ' \n ']) {
    t.match(await socket.ask('sendDirectMessage', { receiverId: bob.id, content }), { code: 'VALIDATION', message: 'content must have a visible character' })
  }
  const half = await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: 'half \ud800 of it', clientMessageId: 'half \ud800' } })
  t.match(half.body, { message: { message: 'half \ufffd of it', clientMessageId: 'half \ufffd' } })
  t.match((await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: 'half \ud800 of it', clientMessageId: 'half \ud800' } })).body, { duplicate: true })
})

t.test('a clientMessageId has the same maximum length on every transport', async t => {
  const socket = await connect(t, url, ann.token)
  const ids = ['👋'.repeat(64), '👋'.repeat(65), 'x'.repeat(65)]
  for (const [index, clientMessageId] of ids.entries()) {
    const body = { receiverId: bob.id, content: 'x', clientMessageId }
    const pushed = await call('POST', '/api/sync/push', { token: ann.token, body: { operations: [{ opId: '👋'.repeat(64), type: 'send', ...body }] } })
    const answers = [await socket.ask('sendDirectMessage', body), (await call('POST', '/api/messages', { token: ann.token, body })).body, pushed.body.results[0]]
    for (const answer of answers) t.equal(answer.code, index === 0 ? undefined : 'VALIDATION')
  }
})

t.test('our events refuse unknown fields by name, and those of legacy clients ignore them', async t => {
  const socket = await connect(t, url, ann.token)
  t.match(await socket.ask('sync', { cursor: {} }), { code: 'VALIDATION', message: 'cursor is not a known field' })
  t.match(await socket.ask('markRead', { conversationId: 'common_chat', seq: 1, at: 'now' }), { code: 'VALIDATION', message: /^at is not a known field/ })
  t.match(await socket.ask('sendDirectMessage', { receiverId: bob.id, content: 'x', platform: 'web' }), { success: true })
})

function serialisable (value: unknown): boolean {
  try {
    JSON.stringify(value)
    return true
  } catch {
    return false
  }
}
