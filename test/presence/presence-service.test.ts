import { ObjectId } from 'mongodb'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { connect } from '../helpers/sockets.ts'

const { app, url, register, call } = await startApp(t, { PRESENCE_GRACE: '1' })
const [ann, bob, eve, dan] = [await register('ann'), await register('bob'), await register('eve'), await register('dan')]

await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: 'hello' } })
const { body: { room: { roomId } } } = await call('POST', '/api/rooms', { token: ann.token, body: { name: 'a room', isPrivate: true } })
await call('PUT', `/api/rooms/${roomId}/members/${dan.id}`, { token: ann.token, body: {} })

const byId = (list: Array<{ userId: string }>) => Object.fromEntries(list.map(each => [each.userId, each]))

t.test('a subscriber gets the present state, and then every change', async t => {
  const watcher = await connect(t, url, ann.token)
  const before = await watcher.ask('subscribePresence', { userIds: [bob.id.toUpperCase(), dan.id, bob.id] })
  t.match(before, { success: true, presence: { length: 2 } })
  t.same(byId(before.presence)[bob.id], { userId: bob.id, status: 'offline', lastActiveAt: null })
  const other = await connect(t, url, bob.token)
  t.match(await watcher.wait('presence'), { userId: bob.id, status: 'online', lastActiveAt: String })
  t.match(byId((await watcher.ask('subscribePresence', { userIds: [bob.id] })).presence), { [bob.id]: { status: 'online' } })
  other.socket.disconnect()
  const gone = await watcher.wait('presence', ({ status }) => status === 'offline')
  t.match(gone, { userId: bob.id, lastActiveAt: String })
  t.same(other.all('presence'), [], 'nobody is told who did not ask')
})

t.test('a user without a shared conversation, or who blocked you, is left out and never announced', async t => {
  const watcher = await connect(t, url, ann.token)
  const asked = await watcher.ask('subscribePresence', { userIds: [ann.id, bob.id, eve.id, dan.id, 'f'.repeat(24)] })
  t.same(Object.keys(byId(asked.presence)).sort(), [ann.id, bob.id, dan.id].sort())
  await call('PUT', `/api/users/${ann.id}/block`, { token: bob.token })
  await call('DELETE', `/api/rooms/${roomId}/members/me`, { token: dan.token })
  for (const user of [bob, eve, dan]) await connect(t, url, user.token)
  // A user who may be known comes last: what was told of the others would be there by then.
  await call('PUT', `/api/rooms/${roomId}/members/${eve.id}`, { token: ann.token, body: {} })
  t.match(await watcher.ask('subscribePresence', { userIds: [bob.id, eve.id, dan.id] }), { presence: { length: 1 } })
  t.same(watcher.all('presence'), [])
  await call('DELETE', `/api/users/${ann.id}/block`, { token: bob.token })
  t.match(await watcher.ask('subscribePresence', { userIds: [bob.id] }), { presence: [{ userId: bob.id, status: 'online' }] })
})

t.test('at most 200 users can be subscribed to', async t => {
  const watcher = await connect(t, url, ann.token)
  const ids = Array.from({ length: 201 }, () => new ObjectId().toHexString())
  t.match(await watcher.ask('subscribePresence', { userIds: ids }), { success: false, code: 'VALIDATION' })
  t.match(await watcher.ask('subscribePresence', { userIds: ids.slice(1) }), { success: true, presence: [] })
  t.match(await watcher.ask('subscribePresence', { userIds: ['me'] }), { success: false, code: 'VALIDATION' })
  t.match(await watcher.ask('subscribePresence', { userIds: [] }), { success: true, presence: [] })
})

t.test('a subscription replaces the one before: users it does not name are no longer announced', async t => {
  const watcher = await connect(t, url, ann.token)
  const gus = await register('gus')
  await call('POST', '/api/messages', { token: ann.token, body: { receiverId: gus.id, content: 'hello' } })
  const fay = await register('fay')
  await call('POST', '/api/messages', { token: ann.token, body: { receiverId: fay.id, content: 'hello' } })
  await watcher.ask('subscribePresence', { userIds: [gus.id] })
  await watcher.ask('subscribePresence', { userIds: [fay.id] })
  await connect(t, url, gus.token)
  // What was told of the first would be there before what is told of the second.
  await connect(t, url, fay.token)
  await watcher.wait('presence', ({ userId }) => userId === fay.id)
  t.same(watcher.all('presence').map(({ userId }) => userId), [fay.id])
})

t.test('the time of a user\'s last activity is stored when the process ends', async t => {
  const second = await startApp(t)
  const zoe = await second.register('zoe')
  await (await connect(t, second.url, zoe.token)).ask('setupUser')
  const { presence } = second.app.chat.collections
  let stored: unknown[] = []
  // The database closes with the app, after the sockets: looked at in between.
  const write = presence.bulkWrite.bind(presence)
  presence.bulkWrite = async (...given) => {
    const result = await write(...given)
    stored = await presence.find({}).toArray()
    return result
  }
  await second.app.close()
  t.match(stored, [{ _id: new ObjectId(zoe.id), lastActiveAt: Date }])
  t.ok(app.chat)
})
