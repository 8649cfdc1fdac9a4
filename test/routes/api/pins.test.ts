import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { PinnedBody, PinsBody } from '../../../src/schemas/message.ts'
import { startApp } from '../../helpers/app.ts'
import { connectLive } from '../../helpers/sockets.ts'

const { url, register, as } = await startApp(t, { ADMIN_USERS: 'root' })
const [root, ann] = [await register('root'), await register('ann')]
const [bob, eve] = [await register('bob'), await register('eve')]
type User = typeof ann

const say = async (user: User, to: object, content = 'hello') =>
  (await as(user)('POST', '/messages', { content, ...to })).body.message
const pin = async (user: User, { _id }: { _id: string }) => await as(user)('PUT', `/messages/${_id}/pin`)
const unpin = async (user: User, { _id }: { _id: string }) => await as(user)('DELETE', `/messages/${_id}/pin`)
const pinned = async (user: User, conversationId: string) =>
  (await as(user)('GET', `/conversations/${conversationId}/pins`)).body.messages
    .map(({ _id }: { _id: string }) => _id)

const roomOf = async (owner: User, others: User[], body: object = {}) => {
  const { body: { room } } = await as(owner)('POST', '/rooms', { name: 'room', ...body })
  for (const { id } of others) await as(owner)('PUT', `/rooms/${room.roomId}/members/${id}`, {})
  return room as { roomId: string, conversationId: string }
}

t.test('both users of a direct conversation pin and unpin; repeating either changes nothing', async t => {
  const phone = await connectLive(t, url, bob.token)
  const [one, two] = [await say(ann, { receiverId: bob.id }), await say(bob, { receiverId: ann.id })]
  const { conversationId } = one
  t.same(await pinned(ann, conversationId), [])
  const first = await pin(ann, two)
  t.match(first, { status: 200, body: { conversationId, messageIds: [two._id], rev: two.rev + 1 } })
  t.ok(Value.Check(PinsBody, first.body))
  t.match(await phone.wait('conversationChanged', ({ change }) => change.kind === 'pins'), {
    conversationId, rev: two.rev + 1, change: { kind: 'pins', messageIds: [two._id] }
  })
  t.match((await pin(bob, one)).body, { messageIds: [two._id, one._id], rev: two.rev + 2 })
  t.match((await pin(bob, two)).body, { messageIds: [two._id, one._id], rev: two.rev + 2 })
  t.same(await pinned(ann, conversationId), [two._id, one._id], 'as they were pinned')
  t.ok(Value.Check(PinnedBody, (await as(ann)('GET', `/conversations/${conversationId}/pins`)).body))
  t.match((await unpin(ann, one)).body, { messageIds: [two._id], rev: two.rev + 3 })
  t.match((await unpin(ann, one)).body, { messageIds: [two._id], rev: two.rev + 3 })
  t.equal((await as(eve)('GET', `/conversations/${conversationId}/pins`)).status, 404)
  t.equal((await pin(eve, one)).status, 404)
})

t.test('an outbox pins a message that it sends', async t => {
  const conversationId = (await say(ann, { receiverId: bob.id })).conversationId
  const { body: { results } } = await as(ann)('POST', '/sync/push', {
    operations: [
      { opId: '1', type: 'send', conversationId, clientMessageId: 'c1', content: 'keep this' },
      { opId: '2', type: 'pin', conversationId, clientMessageId: 'c1', on: true },
      { opId: '3', type: 'pin', messageId: 'f'.repeat(24), on: true },
      { opId: '4', type: 'pin', messageId: 'f'.repeat(24) }
    ]
  })
  t.match(results, [
    { success: true }, { success: true, conversationId },
    { code: 'NOT_FOUND' }, { code: 'PREVIOUS_FAILED' }
  ])
  t.equal(results[1].messageIds.at(-1), results[0].message._id)
})

t.test('in a room its owner, moderators and administrators pin; in the common chat only administrators', async t => {
  const { roomId, conversationId } = await roomOf(ann, [bob, eve])
  await as(ann)('PUT', `/rooms/${roomId}/members/${bob.id}`, { role: 'moderator' })
  const message = await say(eve, { roomId })
  t.match(await pin(eve, message), { status: 403, body: { code: 'NOT_ALLOWED' } }, 'not even what they wrote')
  for (const user of [ann, bob, root]) {
    t.match((await pin(user, message)).body.messageIds, [message._id])
    t.match((await unpin(user, message)).body.messageIds, [])
  }
  await pin(bob, message)
  await as(ann)('DELETE', `/rooms/${roomId}/members/${bob.id}`)
  t.equal((await unpin(bob, message)).status, 404, 'who was removed is a stranger')
  t.same(await pinned(eve, conversationId), [message._id])
  t.equal((await as(root)('GET', `/conversations/${conversationId}/pins`)).status, 403)

  const common = await say(ann, { conversationId: 'common_chat' })
  t.match(await pin(ann, common), { status: 403, body: { code: 'NOT_ALLOWED' } })
  t.match(await pin(root, common), { status: 200 })
  t.same(await pinned(bob, 'common_chat'), [common._id])
})

t.test('a deletion ends the pin in the same commit, and a tombstone cannot be pinned', async t => {
  const { roomId, conversationId } = await roomOf(ann, [bob])
  const message = await say(bob, { roomId })
  const { body: { rev } } = await pin(ann, message)
  const deleted = await as(bob)('DELETE', `/messages/${message._id}`)
  t.equal(deleted.body.rev, rev + 1)
  const sync = await as(ann)('POST', '/sync', {})
  const isRoom = (one: { conversationId: string }) => one.conversationId === conversationId
  const { changes, rev: head } = sync.body.conversations.find(isRoom)
  t.equal(head, rev + 2)
  t.match(changes.at(-1), { kind: 'pins', messageIds: [], rev: rev + 2 })
  t.match(await pin(ann, message), { status: 403, body: { code: 'NOT_ALLOWED' } })
  t.match(await unpin(ann, message), { status: 200, body: { messageIds: [], rev: rev + 2 } })
})

t.test('a member gets the pins of messages that they may see, and a blocked user cannot pin', async t => {
  const { roomId, conversationId } = await roomOf(ann, [], { history: 'joined' })
  const [early, late] = [await say(ann, { roomId }), await say(ann, { roomId })]
  await pin(ann, early)
  await as(ann)('PUT', `/rooms/${roomId}/members/${eve.id}`, {})
  t.same(await pinned(eve, conversationId), [])
  const own = await say(eve, { roomId })
  for (const message of [late, own]) await pin(ann, message)
  t.same(await pinned(eve, conversationId), [own._id])
  await as(ann)('PUT', `/users/${eve.id}/block`)
  t.same(await pinned(ann, conversationId), [early._id, late._id])
  const direct = await say(ann, { receiverId: eve.id })
  t.match(await pin(eve, direct), { status: 403, body: { code: 'NOT_ALLOWED' } })
  await as(ann)('DELETE', `/users/${eve.id}/block`)
})

t.test('at most 50 messages of a conversation are pinned', async t => {
  const { roomId } = await roomOf(ann, [])
  const push = async (operations: object[]) => (await as(ann)('POST', '/sync/push', { operations })).body.results
  const numbers = [...Array(51).keys()].map(String)
  await push(numbers.map(n => ({ opId: n, type: 'send', roomId, clientMessageId: n, content: n })))
  const results = await push(numbers.map(n => {
    return { opId: n, type: 'pin', conversationId: `room_${roomId}`, clientMessageId: n, on: true }
  }))
  t.match(results.at(-1), { success: false, code: 'NOT_ALLOWED' })
  t.equal(results.at(-2).messageIds.length, 50)
})
