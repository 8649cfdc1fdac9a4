import t from 'tap'
import { Value } from '@sinclair/typebox/value'
import { directId } from '../../src/chat/conversation-id.ts'
import { ConversationsBody, UnreadBody } from '../../src/schemas/message.ts'
import { SyncStatusBody } from '../../src/schemas/sync.ts'
import { startApp } from '../helpers/app.ts'
import { connect } from '../helpers/sockets.ts'

const { url, register, call } = await startApp(t)

t.test('what is unread is exact up to 1,000, and said to be more beyond', async t => {
  const [ann, bob] = [await register('ann'), await register('bob')]
  const conversationId = directId(ann.id, bob.id)
  const sender = await connect(t, url, bob.token)
  const send = async (count: number) => await Promise.all(Array.from({ length: count }, async (_, index) => await sender.ask('sendDirectMessage', { receiverId: ann.id, content: `n ${index}` })))
  const seen = async () => {
    const [all, list, status] = await Promise.all(['unread-count', 'conversations', 'sync-status'].map(async path => (await call('GET', `/api/messages/${path}`, { token: ann.token })).body))
    t.ok(Value.Check(UnreadBody, all) && Value.Check(ConversationsBody, list) && Value.Check(SyncStatusBody, status))
    t.equal(all.conversations[conversationId], all.unreadCount)
    t.match([list.conversations[0], status], [{ unreadCount: all.unreadCount }, { unreadCount: all.unreadCount }])
    t.same([list.conversations[0].unreadCountCapped, status.unreadCountCapped], [all.unreadCountCapped, all.unreadCountCapped])
    return [all.unreadCount, all.unreadCountCapped]
  }
  await send(999)
  await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: 'an own one does not count' } })
  t.same(await seen(), [999, undefined])
  await send(1)
  t.same(await seen(), [1_000, undefined])
  const [{ message }] = await send(1)
  t.same(await seen(), [1_000, true])
  await sender.ask('deleteMessage', { messageId: message._id })
  t.same(await seen(), [1_000, undefined])
  await call('PATCH', `/api/messages/conversations/${bob.id}/read`, { token: ann.token })
  t.same((await call('GET', '/api/messages/unread-count', { token: ann.token })).body, { success: true, unreadCount: 0, conversations: {} })
})

t.test('in a room neither what was there before nor what is hidden is unread', async t => {
  const [owner, eve, member] = [await register('owner'), await register('eve'), await register('member')]
  const { body: { room: { roomId } } } = await call('POST', '/api/rooms', { token: owner.token, body: { name: 'a room' } })
  const say = async (user: typeof owner) => await call('POST', `/api/rooms/${roomId}/messages`, { token: user.token, body: { content: 'x' } })
  await say(owner)
  for (const user of [eve, member]) await call('PUT', `/api/rooms/${roomId}/members/me`, { token: user.token })
  await say(owner)
  await say(eve)
  const unread = async () => (await call('GET', '/api/messages/unread-count', { token: member.token })).body.conversations[`room_${roomId}`]
  t.equal(await unread(), 2)
  await call('PUT', `/api/users/${eve.id}/block`, { token: member.token })
  t.equal(await unread(), 1)
  await call('DELETE', `/api/users/${eve.id}/block`, { token: member.token })
  t.equal(await unread(), 2)
  await call('DELETE', `/api/rooms/${roomId}`, { token: owner.token })
  t.equal(await unread(), undefined)
})
