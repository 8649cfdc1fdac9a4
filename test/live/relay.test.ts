import t from 'tap'
import { type TestNode, startNodes } from '../helpers/nodes.ts'
import { connect } from '../helpers/sockets.ts'

const { bus, nodes, call, register } = await startNodes(t, 2)
const [here, there] = nodes as [TestNode, TestNode]
const [ann, bob] = [await register('ann'), await register('bob')]

t.test('a commit on one node reaches sockets on the other, with what each user may see', async t => {
  const [one, two] = await Promise.all([connect(t, here.url, ann.token), connect(t, there.url, bob.token)])
  await Promise.all([one, two].map(async socket => await socket.ask('setupUser', { live: true })))
  const { body: { room: { roomId, conversationId } } } = await call(here, 'POST', '/api/rooms', ann.token, { name: 'x', isPrivate: true })
  t.equal((await call(here, 'PUT', `/api/rooms/${roomId}/members/${bob.id}`, ann.token)).status, 200)
  await two.wait('conversationChanged', payload => payload.conversationId === 'self' && payload.change.conversationId === conversationId)
  await one.ask('sendRoomMessage', { roomId, content: 'from here' })
  t.match(await two.wait('roomMessage'), { message: 'from here', rev: 3 })
  await two.ask('sendRoomMessage', { roomId, content: 'from there' })
  t.match(await one.wait('roomMessage', ({ rev }) => rev === 4), { message: 'from there' })

  await call(there, 'PUT', `/api/users/${ann.id}/block`, bob.token)
  await one.ask('sendRoomMessage', { roomId, content: 'unseen' })
  t.same(await two.wait('noop'), { conversationId, rev: 5 })
  await call(there, 'DELETE', `/api/users/${ann.id}/block`, bob.token)

  await call(here, 'DELETE', `/api/rooms/${roomId}/members/${bob.id}`, ann.token)
  await two.wait('conversationChanged', payload => payload.conversationId === 'self' && payload.change.role === null)
  await one.ask('sendRoomMessage', { roomId, content: 'too late' })
  await one.ask('sendDirectMessage', { receiverId: bob.id, content: 'last of all' })
  await two.wait('directMessage', ({ message }) => message === 'last of all')
  t.notOk(two.events.some(({ payload }) => payload?.message === 'too late' || payload?.message === 'unseen'))
})

t.test('I7: what the other node said first comes first, though this node has just begun to hear the room', async t => {
  const eve = await register('eve')
  const { body: { room } } = await call(here, 'POST', '/api/rooms', ann.token, { name: 'x', isPrivate: true })
  const { roomId, conversationId } = room as { roomId: string, conversationId: string }
  await call(here, 'PUT', `/api/rooms/${roomId}/members/${eve.id}`, ann.token)
  const socket = await connect(t, there.url, eve.token)
  const { heads } = await socket.ask('setupUser', { live: true })
  const first = heads[conversationId].rev + 1
  bus.holds = () => true
  await call(here, 'POST', `/api/rooms/${roomId}/messages`, ann.token, { content: 'on its way' })
  await call(there, 'POST', `/api/rooms/${roomId}/messages`, eve.token, { content: 'from here' })
  await socket.wait('roomMessage', ({ message }) => message === 'from here')
  bus.holds = () => false
  bus.release()
  t.same(socket.all('roomMessage').map(({ rev }) => rev), [first, first + 1])
})

t.test('a heartbeat finds and delivers another node\'s commit whose word was lost', async t => {
  const [one, two] = await Promise.all([connect(t, here.url, ann.token), connect(t, there.url, bob.token)])
  const { heads } = await two.ask('setupUser', { live: true })
  const conversationId = Object.keys(heads as object).find(id => id.startsWith('dm_'))!
  bus.times = () => 0
  await one.ask('sendDirectMessage', { receiverId: bob.id, content: 'lost on the way' })
  bus.times = () => 1
  await there.beat()
  t.match(await two.wait('directMessage'), { message: 'lost on the way', rev: heads[conversationId].rev + 1 })
  await there.beat()
  await two.wait('heads', payload => payload[conversationId] === heads[conversationId].rev + 1)
})

t.test('a logout and a change of a user take effect on both nodes at once', async t => {
  const socket = await connect(t, there.url, bob.token)
  t.equal((await call(there, 'GET', '/api/auth/me', bob.token)).status, 200)
  const other = await connect(t, there.url, ann.token)
  await call(here, 'PATCH', '/api/users/me', bob.token, { fullName: 'Bobby' })
  t.match(await other.wait('userChanged'), { user: { _id: bob.id, fullName: 'Bobby' } })
  await call(here, 'POST', '/api/auth/logout', bob.token, { everywhere: true })
  t.equal(await socket.gone, 'io server disconnect')
  t.equal((await call(there, 'GET', '/api/auth/me', bob.token)).status, 401, 'what the other node remembered of them is forgotten')
  await t.rejects(connect(t, there.url, bob.token))
  t.match(await call(there, 'GET', `/api/users/${bob.id}`, ann.token), { status: 200, body: { user: { fullName: 'Bobby' } } })
})
