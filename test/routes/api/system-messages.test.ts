import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { RoomMessage } from '../../../src/schemas/message.ts'
import { startApp } from '../../helpers/app.ts'
import { connect, connectLive } from '../../helpers/sockets.ts'

const { url, register, as } = await startApp(t, { ADMIN_USERS: 'root' })
const ann = await register('ann', { fullName: 'Ann' })
const bob = await register('bob', { fullName: 'Bob' })
const eve = await register('eve', { fullName: 'Eve' })
type User = typeof ann
interface Told { seq: number, rev: number, message: string, messageType: string, system: object }

const open = async (body: object = {}): Promise<{ roomId: string, conversationId: string }> =>
  (await as(ann)('POST', '/rooms', { name: 'room', systemMessages: true, ...body })).body.room
const history = async (user: User, roomId: string): Promise<Told[]> =>
  (await as(user)('GET', `/rooms/${roomId}/messages`)).body.messages

t.test('a room announces who joined and left, by whom, roles, its name and pins', async t => {
  const { roomId, conversationId } = await open()
  const member = (user: User | 'me') => `/rooms/${roomId}/members/${user === 'me' ? 'me' : user.id}`
  await as(bob)('PUT', member('me'))
  await as(ann)('PUT', member(eve), {})
  await as(ann)('PUT', member(bob), { role: 'moderator' })
  await as(bob)('PATCH', `/rooms/${roomId}`, { name: 'The den', topic: 'quiet' })
  const { body: { message } } = await as(eve)('POST', '/messages', { roomId, content: 'hello' })
  await as(bob)('PUT', `/messages/${message._id}/pin`)
  await as(eve)('DELETE', member('me'))
  await as(bob)('PUT', member(eve), {})
  await as(bob)('PUT', `/rooms/${roomId}/bans/${eve.id}`)
  await as(ann)('PUT', member(bob), { role: 'owner' })
  const told = (await history(bob, roomId)).filter(({ messageType }) => messageType === 'system')
  t.ok(told.every(each => Value.Check(RoomMessage, each)))
  t.strictSame(told.map(({ message, system }) => [message, system]), [
    ['Ann created the room', { event: 'created', by: ann.id }],
    ['Bob joined', { event: 'joined', userId: bob.id, by: bob.id }],
    ['Ann added Eve', { event: 'added', userId: eve.id, by: ann.id }],
    ['Ann made Bob a moderator', { event: 'role', userId: bob.id, by: ann.id, role: 'moderator' }],
    ['Bob named the room “The den”', { event: 'renamed', by: bob.id, name: 'The den' }],
    ['Bob pinned a message', { event: 'pinned', by: bob.id, messageId: message._id }],
    ['Eve left', { event: 'left', userId: eve.id, by: eve.id }],
    ['Bob added Eve', { event: 'added', userId: eve.id, by: bob.id }],
    ['Bob removed Eve', { event: 'removed', userId: eve.id, by: bob.id }],
    ['Ann made Bob the owner', { event: 'role', userId: bob.id, by: ann.id, role: 'owner' }]
  ])
  const { body: { messages } } = await as(bob)('GET', `/conversations/${conversationId}/messages`)
  const read = messages.filter(({ messageType }: Told) => messageType === 'system')
  t.strictSame(read, told, 'every way of reading shows them')
})

t.test('a room whose owner is gone says who owns it now, once', async t => {
  const [root, dan] = [await register('root'), await register('dan', { fullName: 'Dan' })]
  const { body: { room: { roomId } } } = await as(dan)('POST', '/rooms', { name: 'room', systemMessages: true })
  for (const user of [eve, bob]) await as(dan)('PUT', `/rooms/${roomId}/members/${user.id}`, {})
  await as(dan)('PUT', `/rooms/${roomId}/members/${bob.id}`, { role: 'moderator' })
  await as(root)('PATCH', `/admin/users/${dan.id}`, { isActive: false })
  await as(bob)('GET', `/rooms/${roomId}`)
  const told = (await history(bob, roomId)).filter(({ message }) => message.includes('owner'))
  t.ok(told.every(each => Value.Check(RoomMessage, each)))
  t.match(told, [{ message: 'Bob is the owner now', system: { event: 'role', userId: bob.id, role: 'owner' } }])
  t.equal(told.length, 1)
  t.notOk('by' in told[0]!.system)
})

t.test('an announcement is in the commit of its event, after it, and reaches live sockets', async t => {
  const { roomId, conversationId } = await open()
  const phone = await connectLive(t, url, ann.token)
  await as(bob)('PUT', `/rooms/${roomId}/members/me`)
  const membership = await phone.wait('conversationChanged', ({ change }) => change.userId === bob.id)
  const told = await phone.wait('roomMessage', ({ system }) => system?.event === 'joined')
  t.match(told, { conversationId, rev: membership.rev + 1, user: { _id: bob.id }, message: 'Bob joined' })
  await as(bob)('PUT', `/rooms/${roomId}/members/me`)
  t.equal((await history(bob, roomId)).length, 2, 'a repeated joining is told once')
})

t.test('announcements are never unread, and move no room in the lists', async t => {
  const { roomId, conversationId } = await open()
  await as(bob)('PUT', `/rooms/${roomId}/members/me`)
  const listed = async (user: User) => (await as(user)('GET', `/conversations/${conversationId}`)).body.conversation
  const before = await listed(ann)
  t.equal(before.unreadCount, 0)
  await as(eve)('PUT', `/rooms/${roomId}/members/me`)
  t.match(await listed(ann), {
    unreadCount: 0, lastActivityAt: before.lastActivityAt, lastMessage: { message: 'Eve joined' }
  })
  await as(eve)('POST', '/messages', { roomId, content: 'hello' })
  t.equal((await listed(ann)).unreadCount, 1)
  await as(eve)('DELETE', `/rooms/${roomId}/members/me`)
  t.equal((await listed(ann)).unreadCount, 1)
  const { body } = await as(ann)('GET', '/messages/unread-count')
  t.equal(body.conversations[conversationId], 1)
})

t.test('nobody can edit an announcement; leaders of the room may delete it, and its tombstone is empty', async t => {
  const { roomId } = await open()
  await as(bob)('PUT', `/rooms/${roomId}/members/me`)
  const joined = (await history(ann, roomId)).at(-1) as Told & { _id: string }
  t.equal((await as(bob)('PUT', `/messages/${joined._id}`, { content: 'I own this' })).status, 403)
  t.equal((await as(bob)('DELETE', `/messages/${joined._id}`)).status, 403)
  const { body: { message } } = await as(ann)('DELETE', `/messages/${joined._id}`)
  t.match(message, { isDeleted: true, message: '', system: undefined })
})

t.test('a room without the setting announces nothing, nor does one that joinRoom opened', async t => {
  const { roomId } = await open({ systemMessages: undefined })
  await as(bob)('PUT', `/rooms/${roomId}/members/me`)
  t.same(await history(bob, roomId), [])
  const phone = await connect(t, url, ann.token)
  await phone.ask('joinRoom', 'lobby')
  await as(bob)('PUT', '/rooms/lobby/members/me')
  t.same(await history(bob, 'lobby'), [])
  await as(ann)('PATCH', '/rooms/lobby', { systemMessages: true, name: 'The lobby' })
  await as(bob)('DELETE', '/rooms/lobby/members/me')
  const told = (await history(ann, 'lobby')).map(({ message }) => message)
  t.same(told, ['Ann named the room “The lobby”', 'Bob left'])
})
