import assert from 'node:assert/strict'
import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { DirectMessage, ReactorsBody } from '../../../src/schemas/message.ts'
import { startApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/sockets.ts'

const { url, register, call, as } = await startApp(t)
const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]

type User = typeof ann
const send = async (from: User, to: User, content: string) =>
  (await call('POST', '/api/messages', { token: from.token, body: { receiverId: to.id, content } })).body.message
const react = async (method: 'PUT' | 'DELETE', user: User, messageId: string, emoji: string) =>
  await call(method, `/api/messages/${messageId}/reactions/${encodeURIComponent(emoji)}`, { token: user.token })

t.test('a reaction is added over REST and removed over a socket, and repeating either changes nothing', async t => {
  const [first, second] = await Promise.all([connect(t, url, ann.token), connect(t, url, bob.token)])
  const message = await send(ann, bob, 'hello')
  const longest = '👩🏽‍❤️‍💋‍👨🏿'
  const set = await react('PUT', bob, message._id, longest)
  t.match(set, { status: 200, body: { success: true, rev: message.rev + 1, message: { reactions: [{ emoji: longest, count: 1, userIds: [bob.id] }] } } })
  t.ok(Value.Check(DirectMessage, set.body.message))
  t.ok(set.body.message.updatedAt > message.updatedAt)
  t.same(await first.wait('messageChanged'), set.body.message)
  t.equal((await react('PUT', bob, message._id, longest)).body.rev, set.body.rev)
  t.match(await first.ask('react', { messageId: message._id, emoji: longest, on: true }), { success: true, message: { reactions: [{ count: 2, userIds: [bob.id, ann.id] }] }, rev: message.rev + 2 })
  t.match(await second.ask('react', { messageId: message._id, emoji: longest, on: false }), { message: { reactions: [{ count: 1, userIds: [ann.id] }] }, rev: message.rev + 3 })
  t.match(await second.ask('react', { messageId: message._id, emoji: '🎉', on: false }), { success: true, rev: message.rev + 3 })
  t.match((await react('DELETE', ann, message._id, longest)).body, { message: { reactions: [] }, rev: message.rev + 4 })
  t.same(second.all('messageChanged').map(({ rev }) => rev), [1, 2, 3, 4].map(n => Number(message.rev) + n))
})

t.test('every way of reading shows the reactions', async t => {
  const message = await send(ann, bob, 'look')
  const { body: { message: reacted } } = await react('PUT', bob, message._id, '👍')
  t.same((await call('GET', `/api/messages/${bob.id}?limit=1`, { token: ann.token })).body.messages, [reacted])
  const sync = await call('POST', '/api/messages/sync-conversation', { token: ann.token, body: { otherUserId: bob.id, lastSyncTimestamp: message.updatedAt } })
  t.same(sync.body.messages, [reacted])
  t.same((await call('GET', '/api/messages/conversations', { token: bob.token })).body.conversations[0].lastMessage, reacted)
})

t.test('texts other than emoji are refused, and so are reactions without access or to a tombstone', async t => {
  const message = await send(ann, bob, 'hello')
  for (const emoji of ['a', '👍👍', '$', 'x'.repeat(65), '%00']) t.match(await react('PUT', bob, message._id, emoji), { status: 400, body: { code: 'VALIDATION' } }, emoji)
  t.match(await react('PUT', eve, message._id, '👍'), { status: 404, body: { code: 'NOT_FOUND' } })
  t.equal((await react('PUT', bob, 'f'.repeat(24), '👍')).status, 404)
  await react('PUT', bob, message._id, '👍')
  await call('PUT', `/api/users/${bob.id}/block`, { token: ann.token })
  t.match(await react('PUT', bob, message._id, '🎉'), { status: 403, body: { code: 'NOT_ALLOWED' } })
  t.match(await react('DELETE', bob, message._id, '👍'), { status: 200, body: { message: { reactions: [] } } }, 'what one gave one can take back')
  await call('DELETE', `/api/users/${bob.id}/block`, { token: ann.token })
  await react('PUT', bob, message._id, '👍')
  const tombstone = await call('DELETE', `/api/messages/${message._id}`, { token: ann.token })
  t.match(tombstone.body.message, { isDeleted: true, reactions: [] })
  t.match(await react('PUT', bob, message._id, '👍'), { status: 403, body: { code: 'NOT_ALLOWED' } })
  t.equal((await react('DELETE', bob, message._id, '👍')).body.rev, tombstone.body.rev)
})

t.test('a message can have 20 kinds of reactions, and concurrent ones are all stored', async t => {
  const message = await send(ann, bob, 'popular')
  const kinds = Array.from({ length: 25 }, (_, index) => String.fromCodePoint(0x1f600 + index))
  const answers = await Promise.all(kinds.map(async (emoji, index) => await react('PUT', index % 2 === 0 ? ann : bob, message._id, emoji)))
  t.equal(answers.filter(({ status }) => status === 200).length, 20)
  t.equal(answers.filter(({ status }) => status === 403).length, 5)
  const { body: { messages: [stored] } } = await call('GET', `/api/messages/${bob.id}?limit=1`, { token: ann.token })
  assert.equal(stored.reactions.length, 20)
  t.ok(stored.rev <= message.rev + 20, 'those that commit together share a rev')
})

t.test('the users who reacted are listed in pages, by id, without those you blocked', async t => {
  const { body: { room: { roomId, conversationId } } } = await as(ann)('POST', '/rooms', { name: 'popular' })
  const fans = await Promise.all(Array.from({ length: 5 }, async (_, index) => await register(`fan_${index}`)))
  const { message } = (await as(ann)('POST', '/messages', { conversationId, content: 'look' })).body
  for (const fan of fans) {
    await call('PUT', `/api/rooms/${roomId}/members/me`, { token: fan.token })
    await react('PUT', fan, message._id, '❤️')
  }
  await react('PUT', fans[0]!, message._id, '🎉')
  const page = async (user: User, query = '', emoji = '❤️') =>
    await as(user)('GET', `/messages/${message._id}/reactions/${encodeURIComponent(emoji)}${query}`)
  const ids = (answer: Awaited<ReturnType<typeof page>>) => answer.body.users.map(({ _id }: { _id: string }) => _id)
  const all = fans.map(({ id }) => id).sort()

  const whole = await page(ann)
  t.ok(Value.Check(ReactorsBody, whole.body))
  t.same(ids(whole), all)
  t.match(whole.body, { count: 5, hasMore: false, cursor: null })
  t.match(whole.body.users.find(({ _id }: { _id: string }) => _id === fans[0]!.id), { username: 'fan_0' })
  t.same(ids(await page(ann, '', '❤')), all, 'the other form of the same emoji')
  t.match(await page(ann, '', '👀'), { status: 200, body: { users: [], count: 0, hasMore: false, cursor: null } })

  const first = await page(ann, '?limit=2')
  t.same([ids(first), first.body.hasMore], [all.slice(0, 2), true])
  const last = fans.find(({ id }) => id === first.body.cursor)!
  await react('DELETE', last, message._id, '❤️')
  const second = await page(ann, `?limit=3&cursor=${first.body.cursor}`)
  t.same(ids(second), all.slice(2), 'the last one of a page took it back: nobody is missing')
  t.match(second.body, { hasMore: false, count: 4 })

  await call('PUT', `/api/users/${all[4]}/block`, { token: ann.token })
  t.same([ids(await page(ann)), (await page(ann)).body.count], [all.slice(2, 4).concat(all[0]!).sort(), 3])
  t.equal((await page(last)).body.count, 4, 'others still see them')

  t.match(await page(eve), { status: 404, body: { code: 'NOT_FOUND' } }, 'a stranger')
  t.match(await page(ann, '', 'x'), { status: 400, body: { code: 'VALIDATION' } })
  t.match(await page(ann, '?cursor=me'), { status: 400, body: { code: 'VALIDATION' } })
})
