import assert from 'node:assert/strict'
import { Value } from '@sinclair/typebox/value'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { directId } from '../../../src/chat/rules/conversation-id.ts'
import { seqOf } from '../../../src/log/model/types.ts'
import { ConversationsBody, UnreadBody } from '../../../src/schemas/message.ts'
import { SyncStatusBody } from '../../../src/schemas/sync.ts'
import { startApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/sockets.ts'

const { url, register, call } = await startApp(t)

t.test('unread counts are exact up to 1,000 and capped above', async t => {
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
  t.same((await call('GET', '/api/messages/unread-count', { token: ann.token })).body, { success: true, unreadCount: 0, mentionCount: 0, conversations: {}, mentions: {} })
})

t.test('in a room, messages from before the joining and hidden ones are not unread', async t => {
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

t.test('whatever happens, an unread count equals a count of every message', { timeout: 0 }, async t => {
  const { app, register, call } = await startApp(t, { RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0' })
  const [me, one, two] = [await register('reader'), await register('one'), await register('two')]
  const id = (user: typeof me) => new ObjectId(user.id)
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant('send' as const), by: fc.constantFrom(me, one, one, two, two), count: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('change' as const), by: fc.constantFrom('delete', 'delete', 'edit', 'react'), seq: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('read' as const), seq: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('block' as const), on: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('look' as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('flood' as const) }) }
  )
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async steps => {
    await call('DELETE', `/api/users/${one.id}/block`, { token: me.token })
    const { body: { room: { roomId } } } = await call('POST', '/api/rooms', { token: me.token, body: { name: 'a room' } })
    for (const user of [one, two]) await call('PUT', `/api/rooms/${roomId}/members/me`, { token: user.token })
    const conversationId = `room_${roomId}`
    const say = async (user: typeof me) => await call('POST', `/api/rooms/${roomId}/messages`, { token: user.token, body: { content: 'x' } })
    const { rows, members } = app.chat.log.collections
    let hidden = false
    const look = async () => {
      const { body } = await call('GET', '/api/messages/unread-count', { token: me.token })
      const { readSeq } = (await members.findOne({ conversationId, userId: id(me) }))!
      const expected = await rows.countDocuments({ conversationId, kind: 'message', seq: { $gt: readSeq }, senderId: { $in: hidden ? [id(two)] : [id(one), id(two)] }, isDeleted: { $exists: false } })
      assert.equal(body.conversations[conversationId] ?? 0, expected)
    }
    for (const each of [...steps, { type: 'look' as const }]) {
      switch (each.type) {
        case 'send': for (let i = 0; i < each.count; i++) await say(each.by); break
        case 'flood': await Promise.all(Array.from({ length: 120 }, async () => await say(one))); break
        case 'read': await app.chat.log.commit({ mutations: [{ type: 'read', conversationId, userId: id(me), seq: seqOf(each.seq) }] }); break
        case 'block': hidden = each.on; await call(each.on ? 'PUT' : 'DELETE', `/api/users/${one.id}/block`, { token: me.token }); break
        case 'look': await look(); break
        case 'change': {
          const row = await rows.findOne({ conversationId, seq: seqOf(each.seq) })
          const author = [me, one, two].find(user => row?.senderId?.equals(id(user)) === true)
          if (row === null || author === undefined) break
          const path = `/api/messages/${row._id.toHexString()}`
          if (each.by === 'delete') await call('DELETE', path, { token: author.token })
          else if (each.by === 'edit') await call('PUT', path, { token: author.token, body: { content: String(Math.random()) } })
          else await call('PUT', `${path}/reactions/👍`, { token: me.token })
        }
      }
    }
  }), { numRuns: 15, endOnFailure: true })
  t.pass('15 random histories')
})
