import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { clientEvents } from '../../src/schemas/events.ts'
import { startApp } from '../helpers/app.ts'
import { type TestSocket, connect } from '../helpers/sockets.ts'

const { url, register, call } = await startApp(t, { RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0' })
const [ann, bob] = [await register('ann'), await register('bob')]
const events = Object.keys(clientEvents)

const handpicked: unknown[] = [
  undefined, null, true, false, 0, -1, 1e308, '', ' ', 'x', 'x'.repeat(100_000), [], [[]], {}, { $ne: null }, { $gt: '' }, [null],
  Buffer.from('binary'), { content: Buffer.from('binary') }, { __proto__: null, constructor: 1 }, JSON.parse('{"__proto__": {"isAdmin": true}}'),
  { receiverId: { $ne: null }, content: 'x' }, { receiverId: bob.id, content: { $gt: '' } }, { receiverId: [bob.id], content: 'x' },
  { receiverId: bob.id }, { receiverId: bob.id, content: '' }, { receiverId: bob.id, content: ' \n\t ' }, { receiverId: bob.id, content: 'x'.repeat(4_001) },
  { receiverId: bob.id, content: 'x', messageType: 'system' }, { receiverId: bob.id, content: 'x', clientMessageId: '' },
  { receiverId: bob.id, content: 'x', clientMessageId: 'x'.repeat(65) }, { receiverId: bob.id, content: 'x', clientMessageId: 7 },
  { receiverId: bob.id, content: 'x', replyTo: 'f'.repeat(24) }, { receiverId: bob.id, content: 'x', replyTo: 'nonsense' }, { receiverId: bob.id, content: 'x', listingId: '' },
  { content: '' }, { content: 'x', messageType: 'system' }, { content: ['x'] }, { roomId: '../x', content: 'x' }, { roomId: 'x y', content: 'x' }, { roomId: '', content: 'x' },
  { roomId: 'x'.repeat(65), content: 'x' }, '../x', 'x'.repeat(65), 'a b', 'ünicode', { messageId: 'x' }, { messageId: { $exists: true }, content: 'x' },
  { messageId: 'f'.repeat(24), content: 'x', expectedRev: 'x' }, { conversationId: 'dm_x_y', seq: 1 }, { conversationId: 'self', seq: 1 }, { conversationId: 'room_', on: true },
  { conversationId: 'common_chat', seq: -1 }, { conversationId: 'common_chat', seq: 1.5 }, { conversationId: 'common_chat', seq: '1' }, { token: '' }, { token: 'x'.repeat(20_000) }, { token: null }
]

/** Sends an event without a callback; whatever comes of it, the connection must still answer afterwards. */
async function survives (socket: TestSocket, event: string, data: unknown[]): Promise<void> {
  socket.socket.emit(event, ...data)
  await socket.ask('setupUser')
}

t.test('handpicked junk in every event gets its answer, with and without a callback', async t => {
  const socket = await connect(t, url, ann.token)
  for (const event of events) {
    for (const data of handpicked) {
      const before = socket.events.length
      const answer = data === undefined ? await socket.ask(event) : await socket.ask(event, data)
      t.type(answer.success, 'boolean')
      if (answer.success === false) {
        t.match(answer, { code: String, message: String, retryable: Boolean })
        t.notOk(['INTERNAL', 'UNAVAILABLE', 'OVERLOADED'].includes(answer.code as string), `${event} ${String(JSON.stringify(data)).slice(0, 80)}`)
        t.equal(socket.events.length, before, 'a callback is the only answer')
        await survives(socket, event, data === undefined ? [] : [data])
        t.match(socket.events.slice(before).find(({ name }) => name === 'error')?.payload, { code: answer.code, error: answer.message, event })
      }
    }
  }
  t.ok(socket.socket.connected)
})

t.test('a value of any shape in any event gets its answer', async t => {
  const socket = await connect(t, url, ann.token)
  const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...events) }, { weight: 1, arbitrary: fc.string({ minLength: 1 }).filter(name => !['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].includes(name)) })
  const part = fc.oneof(fc.jsonValue(), fc.constantFrom(...handpicked))
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

t.test('events that are none are told so, whatever they are called', async t => {
  const socket = await connect(t, url, ann.token)
  for (const event of ['nonsense', 'error', 'constructor', '__proto__', 'toString', 'message', '']) {
    t.match(await socket.ask(event, {}), { success: false, code: 'VALIDATION', message: 'There is no such event' }, event)
  }
  socket.socket.emit('nonsense', { clientMessageId: 'c' })
  t.match(await socket.wait('error'), { message: 'Unknown event', code: 'VALIDATION', event: 'nonsense', clientMessageId: 'c' })
})

t.test('packets that no client library would send end at most their own connection', async t => {
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

t.test('several callbacks or arguments too many do no harm', async t => {
  const socket = await connect(t, url, ann.token)
  t.match(await socket.ask('sendDirectMessage', { receiverId: bob.id, content: 'x' }, 'more', { and: 'more' }), { success: true })
  t.match(await socket.ask('joinRoom', 'den', 'den2'), { success: true, roomId: 'den' })
})

t.test('content is kept as given: any script, marks, spaces around; half a character is replaced before anybody sees it', async t => {
  const [socket, receiver] = await Promise.all([connect(t, url, ann.token), connect(t, url, bob.token)])
  for (const content of ['  spaces around \n', '👩‍👩‍👧‍👦 family', 'नमस्ते', 'שלום‎', 'a\u0000b', '<b>&amp;</b>', '{"$gt": ""}', '👋'.repeat(4_000), `  ${'x'.repeat(4_000)}  `]) {
    const { message } = await socket.ask('sendDirectMessage', { receiverId: bob.id, content })
    t.equal(message.message, content)
    t.equal((await receiver.wait('directMessage', ({ _id }) => _id === message._id)).message, content)
    const page = await call('GET', `/api/messages/${bob.id}?limit=1`, { token: ann.token })
    t.equal(page.body.messages[0].message, content)
  }
  t.match(await socket.ask('sendDirectMessage', { receiverId: bob.id, content: '👋'.repeat(4_001) }), { code: 'VALIDATION', message: 'content must not be longer than 4000 characters' })
  const half = await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: 'half \ud800 of it', clientMessageId: 'half \ud800' } })
  t.match(half.body, { message: { message: 'half \ufffd of it', clientMessageId: 'half \ufffd' } })
  t.match((await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: 'half \ud800 of it', clientMessageId: 'half \ud800' } })).body, { duplicate: true })
})

t.test('junk in every route is a clear refusal', async t => {
  const id = 'f'.repeat(24)
  const routes: Array<[string, string]> = [
    ['POST', '/api/messages'], ['PUT', `/api/messages/${id}`], ['POST', '/api/messages/sync-conversation'], ['POST', '/api/common-chat/message'], ['POST', '/api/rooms/den/messages'], ['POST', '/api/rooms'], ['PATCH', '/api/rooms/den'], ['PUT', '/api/rooms/den/members/me'], ['PUT', `/api/rooms/den/members/${id}`],
    ['PUT', `/api/rooms/den/bans/${id}`], ['PUT', `/api/messages/${id}/reactions/x`],
    ['DELETE', `/api/messages/${id}`], ['PATCH', `/api/messages/${id}/read`], ['PATCH', `/api/messages/conversations/${id}/read`]
  ]
  for (const [method, path] of routes) {
    for (const body of handpicked.filter(value => !Buffer.isBuffer(value))) {
      const answer = await call(method, path, { token: ann.token, body })
      t.ok(answer.status < 500, `${method} ${path} ${answer.text.slice(0, 100)}`)
      if (answer.status >= 400) t.match(answer.body, { success: false, code: String, message: String })
    }
  }
  for (const path of [
    '/api/messages/x', '/api/messages/[$ne]', `/api/messages/${bob.id}?limit=0`, `/api/messages/${bob.id}?limit=501`, `/api/messages/${bob.id}?limit=x`, `/api/messages/${bob.id}?before=-1`,
    `/api/messages/${bob.id}?before[$gt]=1`, '/api/messages/sync-status?lastChecked=yesterday', '/api/messages/sync-status?lastChecked[$gt]=', '/api/messages/conversations?after=x', '/api/rooms/a%20b/messages'
  ]) {
    const answer = await call('GET', path, { token: ann.token })
    t.ok(answer.status === 400 || (path.includes('[$gt]') && answer.status === 200), `${path} ${answer.text.slice(0, 200)}`)
  }
  await fc.assert(fc.asyncProperty(fc.constantFrom(...routes), fc.jsonValue(), async ([method, path], body) => {
    assert.ok((await call(method, path, { token: ann.token, body })).status < 500)
  }), { numRuns: 100 })
})

function serialisable (value: unknown): boolean {
  try {
    JSON.stringify(value)
    return true
  } catch {
    return false
  }
}
