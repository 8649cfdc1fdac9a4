import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { PushBody } from '../../src/schemas/push.ts'
import { startApp } from '../helpers/app.ts'
import { connect } from '../helpers/sockets.ts'

const { app, url, register, call } = await startApp(t, { RATE_LIMIT_SENDS: '0' })
const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]
const conversationId = directId(ann.id, bob.id)

async function push (operations: unknown[], token = ann.token) {
  const answer = await call('POST', '/api/sync/push', { token, body: { operations } })
  t.equal(answer.status, 200)
  t.ok(Value.Check(PushBody, answer.body), 'has the form that the schema says')
  return answer.body.results
}

/** An operation with an opId of its own. */
let count = 0
const op = (type: string, fields: object) => ({ opId: `op-${++count}`, type, ...fields })

t.test('operations are applied in order, and each has a result', async t => {
  const operations = [
    op('send', { receiverId: bob.id, content: 'one', clientMessageId: 'a-1' }),
    op('send', { conversationId, content: 'two', clientMessageId: 'a-2' }),
    op('edit', { conversationId, clientMessageId: 'a-1', content: 'one, edited' }),
    op('react', { conversationId, clientMessageId: 'a-2', emoji: '👍', on: true }),
    op('send', { conversationId, content: 'three' }),
    op('delete', { conversationId, clientMessageId: 'a-2' }),
    op('send', { conversationId: 'common_chat', content: 'to all' })
  ]
  const results = await push(operations)
  t.same(results.map(({ opId }: { opId: string }) => opId), operations.map(({ opId }) => opId))
  t.match(results, [
    { success: true, message: { message: 'one', seq: 1 } },
    { success: true, message: { message: 'two', seq: 2 } },
    { success: true, message: { message: 'one, edited', seq: 1 } },
    { success: true, message: { seq: 2, reactions: [{ emoji: '👍', count: 1 }] } },
    { success: true, message: { message: 'three', seq: 3 } },
    { success: true, message: { isDeleted: true, message: '', seq: 2 } },
    { success: true, message: { message: 'to all', conversationId: 'common_chat' } }
  ])
  const again = await push(operations.slice(0, 2))
  t.match(again, [{ success: true, duplicate: true, message: { message: 'one, edited' } }, { success: true, duplicate: true, message: { isDeleted: true } }])
})

t.test('an operation names a room by its id or its conversation, and a read position by message or seq', async t => {
  const socket = await connect(t, url, ann.token)
  await socket.ask('joinRoom', 'outbox')
  const results = await push([
    op('send', { roomId: 'outbox', content: 'x', clientMessageId: 'r-1' }),
    op('send', { conversationId: 'room_outbox', content: 'y', clientMessageId: 'r-2' }),
    op('markRead', { conversationId: 'room_outbox', clientMessageId: 'r-1' }),
    op('markRead', { conversationId: 'room_outbox', seq: 2 }),
    op('markRead', { conversationId: 'room_outbox', seq: 1 })
  ])
  t.match(results, [
    { message: { roomId: 'outbox', seq: 1 } }, { message: { roomId: 'outbox', seq: 2 } },
    { success: true, conversationId: 'room_outbox', seq: 1, at: String }, { success: true, seq: 2 }, { success: true, seq: 2 }
  ])
  t.match(await push([op('markRead', { messageId: results[1].message._id })]), [{ success: true, seq: 2 }])
  t.match(await push([op('send', { roomId: 'outbox', content: 'x' }), op('send', { roomId: 'nowhere', content: 'x' })], bob.token), [
    { success: false, code: 'NOT_ALLOWED', retryable: false }, { success: false, code: 'NOT_FOUND' }
  ])
})

t.test('a failed operation stops later ones on the same message, and no others', async t => {
  const stored = (await push([op('send', { conversationId, content: 'stored', clientMessageId: 'f-0' })]))[0].message
  const results = await push([
    op('send', { conversationId, content: ' ', clientMessageId: 'f-1' }),
    op('edit', { conversationId, clientMessageId: 'f-1', content: 'never' }),
    op('delete', { conversationId, clientMessageId: 'f-1' }),
    op('edit', { messageId: stored._id, content: 'stored, edited', expectedRev: stored.rev }),
    op('edit', { messageId: stored._id, content: 'lost', expectedRev: stored.rev }),
    op('edit', { conversationId, clientMessageId: 'f-0', content: 'written on top of it' }),
    op('delete', { messageId: stored._id.toUpperCase() }),
    op('send', { conversationId, content: 'unharmed', clientMessageId: 'f-2' }),
    op('edit', { messageId: 'f'.repeat(24), content: 'x' })
  ])
  t.match(results, [
    { success: false, code: 'VALIDATION', message: /content/ },
    { success: false, code: 'PREVIOUS_FAILED', retryable: true },
    { success: false, code: 'PREVIOUS_FAILED' },
    { success: true, message: { message: 'stored, edited' } },
    { success: false, code: 'CONFLICT', current: { _id: stored._id, message: 'stored, edited', rev: stored.rev + 1 } },
    { success: false, code: 'PREVIOUS_FAILED' },
    { success: false, code: 'PREVIOUS_FAILED' },
    { success: true, message: { message: 'unharmed' } },
    { success: false, code: 'NOT_FOUND' }
  ])
  const history = (await call('GET', `/api/messages/${bob.id}`, { token: ann.token })).body.messages
  t.match(history.slice(-2), [{ message: 'stored, edited', isDeleted: false }, { message: 'unharmed' }])
})

t.test('a malformed operation has its own result, and stops later ones on the same message', async t => {
  const [{ message }] = await push([op('send', { conversationId, content: 'kept', clientMessageId: 'm-0' })])
  t.match(await push([
    op('edit', { messageId: message._id, content: 7 }),
    op('delete', { messageId: message._id }),
    op('paint', {}),
    op('send', { content: 'to nobody' }),
    op('send', { conversationId, receiverId: bob.id, content: 'to two' }),
    op('send', { conversationId: 'self', content: 'x' }),
    op('send', { conversationId: directId(bob.id, eve.id), content: 'between others' }),
    op('send', { receiverId: { $ne: null }, content: 'x' }),
    op('edit', { content: 'of nothing' }),
    op('delete', { messageId: message._id, conversationId, clientMessageId: 'm-0' }),
    op('react', { messageId: message._id, emoji: 'no emoji', on: true }),
    op('markRead', { conversationId, seq: -1 }),
    op('markRead', { conversationId, seq: 1, messageId: message._id })
  ]), [
    { code: 'VALIDATION', message: /^content / }, { code: 'PREVIOUS_FAILED' }, { code: 'VALIDATION' }, { code: 'VALIDATION', message: /receiverId/ }, { code: 'VALIDATION' },
    { code: 'NOT_FOUND' }, { code: 'NOT_FOUND' }, { code: 'VALIDATION' }, { code: 'VALIDATION' }, { code: 'PREVIOUS_FAILED' }, { code: 'PREVIOUS_FAILED' }, { code: 'VALIDATION' },
    { code: 'PREVIOUS_FAILED' }
  ])
})

t.test('a push without a list of operations is refused, over REST and socket', async t => {
  const socket = await connect(t, url, ann.token)
  for (const body of [
    { operations: [] }, {}, { operations: 'x' }, { operations: [7] }, { operations: [{ type: 'send' }] }, { operations: [{ opId: 'x' }] }, { operations: [{ opId: '', type: 'send' }] },
    { operations: Array.from({ length: 101 }, () => op('send', { conversationId, content: 'x' })) }
  ]) {
    const answer = await call('POST', '/api/sync/push', { token: ann.token, body })
    t.equal(answer.status, 400)
    t.match(answer.body, { success: false, code: 'VALIDATION' })
    t.match(await socket.ask('push', body), { success: false, code: 'VALIDATION' })
  }
  t.equal((await call('POST', '/api/sync/push', { body: { operations: [op('delete', {})] } })).status, 401)
})

t.test('one clientMessageId makes one message over socket, REST and push; another body is a mismatch', async t => {
  const [one, two] = await Promise.all([connect(t, url, ann.token), connect(t, url, ann.token)])
  for (let round = 0; round < 10; round++) {
    const body = { receiverId: bob.id, content: `raced ${round}`, clientMessageId: `race-${round}` }
    const operations = [op('send', body), op('send', { ...body, content: 'other' }), op('send', body)]
    const [direct, rest, pushed, pushedToo, byConversation] = await Promise.all([
      one.ask('sendDirectMessage', body),
      call('POST', '/api/messages', { token: ann.token, body }),
      push([operations[0]]),
      two.ask('push', { operations: [operations[0], operations[2]] }),
      push([op('send', { conversationId, content: body.content, clientMessageId: body.clientMessageId })])
    ])
    const answers = [direct, rest.body, pushed[0], ...pushedToo.results, byConversation[0]]
    for (const answer of answers) t.match(answer, { success: true, message: { clientMessageId: body.clientMessageId, message: body.content } })
    t.equal(new Set(answers.map(({ message }) => message._id)).size, 1)
    t.equal(answers.filter(({ duplicate }) => duplicate !== true).length, 1)
    t.match(await push([operations[1]]), [{ success: false, code: 'IDEMPOTENCY_MISMATCH', retryable: false }])
    t.equal(await app.chat.log.collections.rows.countDocuments({ conversationId, clientMessageId: body.clientMessageId }), 1)
  }
})

for (const transport of ['websocket', 'polling']) {
  t.test(`messages that many senders push at once keep each sender's order, over ${transport}`, async t => {
    const socket = await connect(t, url, bob.token, { transports: [transport] })
    const parts = [0, 1, 2, 3].map(part => Array.from({ length: 100 }, (_, index) => op('send', { conversationId, content: `${part} ${index}`, clientMessageId: `${transport}-${part}-${index}` })))
    await Promise.all(parts.map(part => push(part)))
    await socket.wait('directMessage', () => socket.all('directMessage').length === 400)
    for (const part of [0, 1, 2, 3]) {
      t.same(socket.all('directMessage').map(({ message }) => message as string).filter(text => text.startsWith(`${part} `)), parts[part]!.map((_, index) => `${part} ${index}`))
    }
  })
}
