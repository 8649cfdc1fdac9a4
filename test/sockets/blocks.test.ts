import t from 'tap'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { startApp } from '../helpers/app.ts'
import { type TestSocket, connectLive } from '../helpers/sockets.ts'

const { url, register, as } = await startApp(t, { PRESENCE_GRACE: '1' })

type User = Awaited<ReturnType<typeof register>>
let count = 0
const people = async (n: number) => await Promise.all(Array.from({ length: n }, () => register(`user${count++}`)))
const live = (user: User) => connectLive(t, url, user.token)
/** Everything that was sent to them before has come. */
const settled = async (...sockets: TestSocket[]) => { await Promise.all(sockets.map(async socket => await socket.ask('setupUser'))) }

t.test('reactions of a user you blocked are shown to you nowhere: live, history, sync, by id, answers', async t => {
  const [ann, bob, eve] = await people(3) as [User, User, User]
  const { body: { room: { roomId, conversationId } } } = await as(ann)('POST', '/rooms', { name: 'room' })
  for (const user of [bob, eve]) await as(user)('PUT', `/rooms/${roomId}/members/me`)
  const { body: { message: { _id } } } = await as(ann)('POST', `/rooms/${roomId}/messages`, { content: 'react to this' })
  const [hers, theirs] = [await live(ann), await live(eve)]
  await as(ann)('PUT', `/users/${bob.id}/block`)
  const react = async (user: User, emoji: string) => (await as(user)('PUT', `/messages/${_id}/reactions/${encodeURIComponent(emoji)}`)).body
  const shown = (message: { reactions: Array<{ emoji: string, userIds: string[], count: number }> }) => message.reactions.map(({ emoji, userIds, count }) => [emoji, count, userIds])
  await react(bob, '👎')
  await react(bob, '👍')
  const { rev } = await react(eve, '👍')
  const all = [['👎', 1, [bob.id]], ['👍', 2, [bob.id, eve.id]]]
  const some = [['👍', 1, [eve.id]]]
  t.same(shown(await theirs.wait('messageChanged', message => message.rev === rev)), all)
  t.same(shown(await hers.wait('messageChanged', message => message.rev === rev)), some)
  t.same(hers.all('messageChanged').map(message => message.rev), [rev - 2, rev - 1, rev], 'each rev once')

  const path = `/conversations/${conversationId}/messages`
  const synced = async (user: User) => (await as(user)('POST', '/sync', {})).body.conversations
    .find((one: { conversationId: string }) => one.conversationId === conversationId).changes.find(({ kind }: { kind: string }) => kind === 'message').message
  for (const [user, expected] of [[ann, some], [eve, all]] as const) {
    t.same(shown((await as(user)('GET', path)).body.messages[0]), expected)
    t.same(shown((await as(user)('GET', `${path}/${_id}`)).body.message), expected)
    t.same(shown((await as(user)('GET', '/messages/search?q=react')).body.messages[0]), expected)
    t.same(shown((await as(user)('GET', '/conversations?kind=room')).body.conversations[0].lastMessage), expected)
    t.same(shown(await synced(user)), expected)
  }
  t.same(shown((await react(ann, '🎉')).message), [...some, ['🎉', 1, [ann.id]]])
  await as(ann)('DELETE', `/users/${bob.id}/block`)
  t.same(shown((await as(ann)('GET', path)).body.messages[0]).slice(0, 2), all, 'the end of the block shows them again')
})

t.test('in a room, users with a block between them get no typing or reads of each other', async t => {
  const [ann, bob, eve] = await people(3) as [User, User, User]
  const { body: { room: { roomId, conversationId } } } = await as(ann)('POST', '/rooms', { name: 'room' })
  for (const user of [bob, eve]) await as(user)('PUT', `/rooms/${roomId}/members/me`)
  await as(eve)('POST', `/rooms/${roomId}/messages`, { content: 'read this' })
  await as(ann)('PUT', `/users/${bob.id}/block`)
  const [hers, his, theirs] = [await live(ann), await live(bob), await live(eve)]
  for (const [socket, user] of [[hers, ann], [his, bob]] as const) {
    await socket.ask('typing', { conversationId, on: true })
    await theirs.wait('typing', ({ userId }) => userId === user.id)
    await socket.ask('markRead', { conversationId, seq: 1 })
    await theirs.wait('messagesRead', ({ userId }) => userId === user.id)
  }
  await settled(hers, his)
  for (const [socket, other] of [[hers, bob], [his, ann]] as const) for (const event of ['typing', 'messagesRead']) t.same(socket.all(event).filter(({ userId }) => userId === other.id), [], event)
  const reads = async (user: User) => (await as(user)('POST', '/sync', {})).body.conversations
    .find((one: { conversationId: string }) => one.conversationId === conversationId).reads.map(({ userId }: { userId: string }) => userId).sort()
  t.same([await reads(ann), await reads(bob), await reads(eve)], [[ann.id], [bob.id], [ann.id, bob.id].sort()])
})

t.test('in a direct conversation, a read during a block is announced by the next read after it', async t => {
  const [ann, bob] = await people(2) as [User, User]
  const conversationId = directId(ann.id, bob.id)
  for (const content of ['one', 'two']) await as(bob)('POST', '/messages', { receiverId: ann.id, content })
  await as(ann)('PATCH', `/conversations/${conversationId}/read`, { seq: 1 })
  await as(ann)('PUT', `/users/${bob.id}/block`)
  const [hers, his] = [await live(ann), await live(bob)]
  t.match(await hers.ask('markRead', { conversationId, seq: 2 }), { success: true, seq: 2 })
  await hers.ask('typing', { conversationId, on: true })
  await his.ask('typing', { conversationId, on: true })
  await settled(hers, his)
  t.same([his.all('messagesRead'), his.all('typing'), hers.all('typing')], [[], [], []])
  const isRead = async (user: User, other: User) => (await as(user)('GET', `/messages/${other.id}`)).body.messages.map((message: { isRead: boolean }) => message.isRead)
  t.same(await isRead(bob, ann), [true, false], 'he sees what she had read before')
  t.same(await isRead(ann, bob), [true, true], 'she sees what she has read')
  const readsOf = (answer: { body: { reads: Array<{ userId: string, seq: number }> } }) => answer.body.reads.filter(({ userId }) => userId === ann.id).map(({ seq }) => seq)
  t.same(readsOf(await as(bob)('POST', '/messages/sync-conversation', { otherUserId: ann.id })), [1])
  t.match((await as(ann)('GET', '/messages/unread-count')).body, { unreadCount: 0 })
  await as(ann)('DELETE', `/users/${bob.id}/block`)
  t.match(await hers.ask('markRead', { conversationId, seq: 2 }), { success: true, seq: 2 })
  t.match(await his.wait('messagesRead', ({ userId }) => userId === ann.id), { seq: 2 })
  t.same(await isRead(bob, ann), [true, true])
})

t.test('presence does not pass a block in either direction', async t => {
  const [ann, bob, eve] = await people(3) as [User, User, User]
  for (const other of [ann, eve]) await as(bob)('POST', '/messages', { receiverId: other.id, content: 'hello' })
  const [hers, his, theirs] = [await live(ann), await live(bob), await live(eve)]
  await theirs.ask('subscribePresence', { userIds: [bob.id] })
  t.match(await hers.ask('subscribePresence', { userIds: [bob.id] }), { presence: [{ userId: bob.id }] })
  await as(ann)('PUT', `/users/${bob.id}/block`)
  his.socket.close()
  await theirs.wait('presence', ({ userId, status }) => userId === bob.id && status === 'offline')
  await settled(hers)
  t.same(hers.all('presence'), [])
  for (const [socket, other] of [[hers, bob], [await live(bob), ann]] as const) t.match(await socket.ask('subscribePresence', { userIds: [other.id] }), { success: true, presence: [] })
})
