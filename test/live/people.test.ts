import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { serverEvents } from '../../src/schemas/events.ts'
import { SyncBody } from '../../src/schemas/sync.ts'
import { startApp } from '../helpers/app.ts'
import { connect, connectLive } from '../helpers/sockets.ts'

const { app, url, register, as } = await startApp(t)
type User = Awaited<ReturnType<typeof register>>
const live = (user: User) => connectLive(t, url, user.token)
const picture = 'https://example.org/ada.png'
const [ann, bob, cid] = [await register('ann'), await register('bob'), await register('cid')]
const { body: { room: { roomId, conversationId } } } = await as(ann)('POST', '/rooms', { name: 'room' })

t.test('a membership names its user, live and in a sync; in the self log it is your own', async t => {
  const phone = await live(ann)
  interface Synced { conversationId: string, cursor: string, changes: unknown[] }
  const synced = async (user: User, cursors = {}): Promise<Synced[]> => {
    const { body } = await as(user)('POST', '/sync', { cursors })
    t.ok(Value.Check(SyncBody, body))
    return body.conversations
  }
  const cursors = Object.fromEntries((await synced(ann)).map(({ conversationId, cursor }) => [conversationId, cursor]))
  await as(bob)('PUT', `/rooms/${roomId}/members/me`)
  const joined = await phone.wait('conversationChanged', ({ change }) => change.userId === bob.id)
  const user = { _id: bob.id, fullName: 'Full bob', username: 'bob', profilePicture: null }
  t.match(joined.change, { kind: 'membership', role: 'member', user })
  t.ok(Value.Check(serverEvents.conversationChanged, joined))
  t.same((await synced(ann, cursors))[0]?.changes, [joined.change], 'the sync has the same change')
  const own = (await synced(bob)).find(({ conversationId }) => conversationId === 'self')
  t.match(own?.changes[0], { kind: 'membership', conversationId, userId: bob.id, user: undefined })

  // The user of a removal may have to be read first.
  app.chat.users.invalidate(bob.id)
  await as(ann)('DELETE', `/rooms/${roomId}/members/${bob.id}`)
  const removed = await phone.wait('conversationChanged', ({ change }) => change.role === null)
  t.match(removed.change, { kind: 'membership', user })
})

t.test('if the user of a removal cannot be read, they are unsubscribed nevertheless', async t => {
  const [hers, his] = [await live(ann), await live(cid)]
  await as(cid)('PUT', `/rooms/${roomId}/members/me`)
  await his.wait('conversationChanged', payload => payload.conversationId === conversationId)
  const { users } = app.chat
  const { get } = users
  let reads = 0
  users.invalidate(cid.id)
  users.get = async id => {
    if (id !== cid.id) return await get.call(users, id)
    // The announcement of the removal reads the user before it is committed.
    if (reads++ > 0) throw new Error('the database is away')
    const user = await get.call(users, id)
    users.invalidate(id)
    return user
  }
  const removal = as(ann)('DELETE', `/rooms/${roomId}/members/${cid.id}`)
  const isRemoval = ({ role, userId }: { role: unknown, userId: string }) => role === null && userId === cid.id
  const { change } = await hers.wait('conversationChanged', payload => isRemoval(payload.change))
  users.get = get
  await removal
  t.notOk('user' in change)
  await as(ann)('POST', `/rooms/${roomId}/messages`, { content: 'among us' })
  await as(ann)('POST', '/messages', { receiverId: cid.id, content: 'to him' })
  await his.wait('directMessage')
  t.same(his.all('roomMessage'), [])
})

t.test('a new name or picture reaches users who share a conversation, and your own devices', async t => {
  const [zoe, fay, eve] = [await register('zoe'), await register('fay'), await register('eve')]
  await as(zoe)('POST', '/messages', { receiverId: fay.id, content: 'hello' })
  await as(zoe)('PUT', `/rooms/${roomId}/members/me`)
  const [own, direct, member, stranger] = [await live(zoe), await live(fay), await live(ann), await live(eve)]
  const only = await connect(t, url, fay.token)
  await only.ask('setupUser', { live: true, only: [directId(zoe.id, fay.id)] })
  const without = await connect(t, url, fay.token)
  await without.ask('setupUser', { live: true, only: [] })
  t.equal((await as(zoe)('PATCH', '/users/me', { fullName: 'Full zoe' })).status, 200, 'it is what it was')
  await as(zoe)('PATCH', '/users/me', { fullName: 'Zoë', profilePicture: picture })
  const told = await own.wait('userChanged')
  t.same(told, { user: { _id: zoe.id, fullName: 'Zoë', username: 'zoe', profilePicture: picture } })
  t.ok(Value.Check(serverEvents.userChanged, told))
  for (const socket of [direct, member, only]) t.same(await socket.wait('userChanged'), told)
  await as(zoe)('PATCH', '/users/me', { username: 'zoe.2' })
  for (const socket of [own, direct, member]) {
    t.match(await socket.wait('userChanged', ({ user }) => user.username === 'zoe.2'), { user: { fullName: 'Zoë' } })
  }
  await as(zoe)('POST', '/auth/logout')
  for (const socket of [stranger, without]) {
    await socket.ask('setupUser')
    t.same(socket.all('userChanged'), [])
  }
  t.equal(own.all('userChanged').length, 2)
  const asked = (await as(eve)('GET', `/users?ids=${zoe.id}`)).body.users
  t.match(asked, [{ fullName: 'Zoë', username: 'zoe.2' }], 'who was away asks by id')
})
