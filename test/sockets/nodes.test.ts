import { join } from 'node:path'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import t from 'tap'
import { buildApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { makeBus } from '../helpers/bus-adapter.ts'
import { connect } from '../helpers/sockets.ts'

const bus = makeBus()
const folder = t.testdir({ engine: {} })
const engine = await startEmbeddedMongo({ dataDir: join(folder, 'engine') })
t.teardown(() => engine.stop())

async function startNode () {
  const app = await buildApp(readConfig({ MONGODB_URL: engine.uri, DATA_DIR: folder, JWT_SECRET: 'a secret of sixteen characters', LOG_LEVEL: 'silent' }))
  t.teardown(() => app.close())
  app.io.adapter(bus.adapter as never)
  return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) }
}
const [here, there] = [await startNode(), await startNode()]

async function call (url: string, method: string, path: string, token?: string, body?: object) {
  const response = await fetch(url + path, {
    method,
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  return { status: response.status, body: await response.json() as any }
}

async function register (username: string): Promise<{ token: string, id: string }> {
  const { body } = await call(here.url, 'POST', '/api/auth/register', undefined, { fullName: username, username, email: `${username}@example.org`, password: 'password-1' })
  return { token: body.token, id: body.user._id }
}
const [ann, bob] = [await register('ann'), await register('bob')]

t.test('what one node commits reaches the sockets of the other, with what each user may see of it', async t => {
  const [one, two] = await Promise.all([connect(t, here.url, ann.token), connect(t, there.url, bob.token)])
  await Promise.all([one, two].map(async socket => await socket.ask('setupUser', { live: true })))
  const { body: { room: { roomId, conversationId } } } = await call(here.url, 'POST', '/api/rooms', ann.token, { name: 'x', isPrivate: true })
  t.equal((await call(here.url, 'PUT', `/api/rooms/${roomId}/members/${bob.id}`, ann.token)).status, 200)
  await two.wait('conversationChanged', payload => payload.conversationId === 'self' && payload.change.conversationId === conversationId)
  await one.ask('sendRoomMessage', { roomId, content: 'from here' })
  t.match(await two.wait('roomMessage'), { message: 'from here', rev: 3 })
  await two.ask('sendRoomMessage', { roomId, content: 'from there' })
  t.match(await one.wait('roomMessage', ({ rev }) => rev === 4), { message: 'from there' })

  await call(there.url, 'PUT', `/api/users/${ann.id}/block`, bob.token)
  await one.ask('sendRoomMessage', { roomId, content: 'unseen' })
  t.same(await two.wait('noop'), { conversationId, rev: 5 })
  await call(there.url, 'DELETE', `/api/users/${ann.id}/block`, bob.token)

  await call(here.url, 'DELETE', `/api/rooms/${roomId}/members/${bob.id}`, ann.token)
  await two.wait('conversationChanged', payload => payload.conversationId === 'self' && payload.change.role === null)
  await one.ask('sendRoomMessage', { roomId, content: 'too late' })
  await one.ask('sendDirectMessage', { receiverId: bob.id, content: 'last of all' })
  await two.wait('directMessage', ({ message }) => message === 'last of all')
  t.notOk(two.events.some(({ payload }) => payload?.message === 'too late' || payload?.message === 'unseen'))
})

t.test('the beacon finds what the other node committed and no event told of', async t => {
  const [one, two] = await Promise.all([connect(t, here.url, ann.token), connect(t, there.url, bob.token)])
  const { heads } = await two.ask('setupUser', { live: true })
  const conversationId = Object.keys(heads as object).find(id => id.startsWith('dm_'))!
  bus.loses = () => true
  await one.ask('sendDirectMessage', { receiverId: bob.id, content: 'lost on the way' })
  bus.loses = () => false
  await there.app.beacon.beat()
  t.match(await two.wait('heads', payload => payload[conversationId] !== undefined), { [conversationId]: heads[conversationId].rev + 1 })
  t.same(two.all('directMessage'), [])
})

t.test('a logout and a change of a user hold on both nodes at once', async t => {
  const socket = await connect(t, there.url, bob.token)
  t.equal((await call(there.url, 'GET', '/api/auth/me', bob.token)).status, 200)
  await call(here.url, 'PATCH', '/api/users/me', bob.token, { fullName: 'Bobby' })
  await call(here.url, 'POST', '/api/auth/logout', bob.token, { everywhere: true })
  t.equal(await socket.gone, 'io server disconnect')
  t.equal((await call(there.url, 'GET', '/api/auth/me', bob.token)).status, 401, 'what the other node remembered of them is forgotten')
  await t.rejects(connect(t, there.url, bob.token))
  t.match(await call(there.url, 'GET', `/api/users/${bob.id}`, ann.token), { status: 200, body: { user: { fullName: 'Bobby' } } })
})
