import t from 'tap'
import { startApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/sockets.ts'

const { url, register, as } = await startApp(t, { ADMIN_USERS: 'root' })
const [root, ann] = [await register('root'), await register('ann')]
const [bob, eve] = [await register('bob'), await register('eve')]
type User = typeof ann

const say = async (user: User, roomId: string, more: object = {}) =>
  await as(user)('POST', '/messages', { roomId, content: 'hello', ...more })

/** A room of everybody; bob moderates it. */
const roomWith = async (settings: object) => {
  const { body: { room: { roomId } } } = await as(ann)('POST', '/rooms', { name: 'room', ...settings })
  for (const user of [bob, eve, root]) await as(user)('PUT', `/rooms/${roomId}/members/me`)
  await as(ann)('PUT', `/rooms/${roomId}/members/${bob.id}`, { role: 'moderator' })
  return roomId as string
}
const change = async (roomId: string, body: object) => await as(ann)('PATCH', `/rooms/${roomId}`, body)

t.test('in a room without its own settings every member sends messages at any rate', async t => {
  const roomId = await roomWith({})
  t.match((await as(eve)('GET', `/rooms/${roomId}`)).body.room, { postRole: 'member', slowModeS: 0 })
  for (let n = 0; n < 3; n++) t.equal((await say(eve, roomId)).status, 201)
  const { body: { conversation: { rev } } } = await as(ann)('GET', `/conversations/room_${roomId}`)
  await change(roomId, { postRole: 'member', slowModeS: 0, systemMessages: false })
  t.equal((await as(ann)('GET', `/conversations/room_${roomId}`)).body.conversation.rev, rev, 'nothing was changed')
})

t.test('only owner and moderators send to an announcements-only room; members still react and read', async t => {
  const roomId = await roomWith({ postRole: 'moderator' })
  t.match(await say(eve, roomId), { status: 403, body: { code: 'READ_ONLY', retryable: false } })
  const phone = await connect(t, url, eve.token)
  t.match(await phone.ask('sendRoomMessage', { roomId, content: 'hello' }), { success: false, code: 'READ_ONLY' })
  for (const user of [ann, bob, root]) t.equal((await say(user, roomId)).status, 201)
  const { body: { messages: [first] } } = await as(eve)('GET', `/rooms/${roomId}/messages`)
  t.equal((await as(eve)('PUT', `/messages/${first._id}/reactions/%F0%9F%91%8D`)).status, 200)
  await change(roomId, { postRole: 'member' })
  t.equal((await say(eve, roomId)).status, 201)
})

t.test('in slow mode a member waits between two messages, on every transport; owner and moderators do not', async t => {
  const roomId = await roomWith({ slowModeS: 600 })
  t.equal((await say(eve, roomId, { clientMessageId: 'm1' })).status, 201)
  const refused = await say(eve, roomId, { clientMessageId: 'm2' })
  t.match(refused, { status: 429, body: { code: 'SLOW_MODE', retryable: true } })
  const { retryAfterMs } = refused.body
  t.ok(retryAfterMs > 500_000 && retryAfterMs <= 600_000, `${retryAfterMs} ms are left`)
  t.equal(refused.headers.get('retry-after'), String(Math.ceil(retryAfterMs / 1_000)))
  const { body: { results } } = await as(eve)('POST', '/sync/push', {
    operations: [{ opId: '1', type: 'send', roomId, clientMessageId: 'm2', content: 'hello' }]
  })
  t.match(results, [{ success: false, code: 'SLOW_MODE', retryable: true, retryAfterMs: Number }])
  for (const user of [ann, bob, root]) {
    for (let n = 0; n < 2; n++) t.equal((await say(user, roomId)).status, 201)
  }
  const { body: { message } } = await say(eve, roomId, { clientMessageId: 'm1' })
  const edited = await as(eve)('PUT', `/messages/${message._id}`, { content: 'edited' })
  t.equal(edited.status, 200, 'an edit waits for nothing')
  await change(roomId, { slowModeS: 0 })
  t.equal((await say(eve, roomId, { clientMessageId: 'm2' })).status, 201)
})

t.test('a retry of a stored message is answered with it, whatever the room has become', async t => {
  const roomId = await roomWith({ slowModeS: 600 })
  const { body: { message } } = await say(eve, roomId, { clientMessageId: 'm1' })
  const again = { status: 200, body: { duplicate: true, message: { _id: message._id } } }
  t.match(await say(eve, roomId, { clientMessageId: 'm1' }), again)
  const other = await say(eve, roomId, { clientMessageId: 'm1', content: 'other' })
  t.match(other, { status: 409, body: { code: 'IDEMPOTENCY_MISMATCH' } })
  await change(roomId, { postRole: 'moderator' })
  t.match(await say(eve, roomId, { clientMessageId: 'm1' }), again)
})

t.test('of many messages sent at once in slow mode one is stored', async t => {
  const roomId = await roomWith({ slowModeS: 600 })
  const answers = await Promise.all(Array.from({ length: 20 }, async () => await say(eve, roomId)))
  t.equal(answers.filter(({ status }) => status === 201).length, 1)
  t.ok(answers.every(({ status }) => status === 201 || status === 429))
})

t.test('invalid settings, and settings by a member, are refused', async t => {
  const roomId = await roomWith({})
  const times = [{ slowModeS: -1 }, { slowModeS: 21_601 }, { slowModeS: 1.5 }]
  for (const body of [...times, { postRole: 'owner' }, { systemMessages: 1 }]) {
    t.match(await change(roomId, body), { status: 400, body: { code: 'VALIDATION' } }, JSON.stringify(body))
  }
  t.equal((await as(eve)('PATCH', `/rooms/${roomId}`, { slowModeS: 0 })).status, 403)
})
