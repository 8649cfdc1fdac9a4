import t from 'tap'
import { commonChatId, directId } from '../../../src/chat/rules/conversation-id.ts'
import { startApp } from '../../helpers/app.ts'
import { connect, connectLive } from '../../helpers/sockets.ts'

const { url, register, as } = await startApp(t, { ADMIN_USERS: 'root' })
const [root, ann, bob] = [await register('root'), await register('ann'), await register('bob')]
type User = typeof ann

const { body: { room } } = await as(ann)('POST', '/rooms', { name: 'private', isPrivate: true })
const { roomId, conversationId } = room as { roomId: string, conversationId: string }
const announce = async (user: User, body: object) =>
  await as(user)('POST', '/messages', { content: 'maintenance at nine', messageType: 'system', ...body })

t.test('an administrator sends system messages to any conversation, also to private rooms as a stranger', async t => {
  const phone = await connectLive(t, url, ann.token)
  const sent = await announce(root, { conversationId, clientMessageId: 'm-1' })
  t.match(sent, { status: 201, body: { message: { messageType: 'system', user: { _id: root.id }, roomId } } })
  t.match(await phone.wait('roomMessage'), { messageType: 'system', _id: sent.body.message._id })
  t.match(await announce(root, { conversationId, clientMessageId: 'm-1' }), { status: 200, body: { duplicate: true } })
  t.equal((await as(root)('GET', `/rooms/${roomId}/messages`)).status, 404, 'it makes them no member')
  t.match(await as(root)('GET', `/rooms/${roomId}`), { body: { room: { memberCount: 1, role: null } } })

  const admin = await connect(t, url, root.token)
  const system = { content: 'hello', messageType: 'system' }
  const took = { success: true, message: { messageType: 'system' } }
  t.match(await admin.ask('sendRoomMessage', { roomId, ...system }), took)
  t.match(await admin.ask('sendCommonChatMessage', system), took)
  const operation = { opId: '1', type: 'send', conversationId: directId(root.id, ann.id), ...system }
  t.match(await as(root)('POST', '/sync/push', { operations: [operation] }), {
    body: { results: [{ success: true, message: { messageType: 'system', receiverId: { _id: ann.id } } }] }
  })
})

t.test('nobody else can send them, and an administrator who is a stranger can send no other kind', async t => {
  for (const where of [{ conversationId }, { conversationId: commonChatId }, { receiverId: bob.id }]) {
    t.match(await announce(ann, where), { status: 400, body: { code: 'VALIDATION', message: /^messageType / } })
  }
  t.equal((await announce(bob, { conversationId })).status, 400, 'and learns nothing of the room')
  t.equal((await announce(root, { conversationId, messageType: 'text' })).status, 404)
  t.equal((await announce(root, { roomId: 'f'.repeat(24) })).status, 404, 'an unknown room is not opened')
  await as(ann)('DELETE', `/rooms/${roomId}`)
  t.equal((await announce(root, { conversationId })).status, 404, 'nor a deleted one brought back')
})
