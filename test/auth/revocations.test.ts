import t from 'tap'
import { startNodes, type TestNode } from '../helpers/nodes.ts'
import { connect } from '../helpers/sockets.ts'

// Nothing that one node says reaches the other: what happens there is what a check finds.
const { bus, nodes, call, register } = await startNodes(t, 2)
const [here, there] = nodes as [TestNode, TestNode]
bus.times = () => 0

const logIn = async (username: string) =>
  (await call(here, 'POST', '/api/auth/login', undefined, { username, password: 'password-1' })).body.token as string

t.test('a node that was not told of a logout finds it and closes the sockets of the ended sessions', async t => {
  const ann = await register('ann')
  const other = await logIn('ann')
  const [ended, kept] = [await connect(t, there.url, ann.token), await connect(t, there.url, other)]
  await there.app.checkRevocations()
  t.equal((await call(here, 'POST', '/api/auth/logout', ann.token)).status, 200)
  await there.app.checkRevocations()
  t.equal(await ended.gone, 'io server disconnect')
  await kept.ask('setupUser')
  t.ok(kept.socket.connected, 'the user\'s other session goes on')
  const { status } = await call(there, 'GET', '/api/auth/me', ann.token)
  t.equal(status, 401, 'what this node had cached of the user is dropped')

  await call(here, 'POST', '/api/auth/logout', other, { everywhere: true })
  await there.app.checkRevocations()
  t.equal(await kept.gone, 'io server disconnect')
})

t.test('a logout is found once: a later long poll is not ended', async t => {
  const bob = await register('bob')
  const other = await logIn('bob')
  await there.app.checkRevocations()
  await call(here, 'POST', '/api/auth/logout', bob.token)
  await there.app.checkRevocations()
  const poll = call(there, 'POST', '/api/sync', other, { cursors: {}, waitMs: 25_000 })
  const { longPolls } = there.app.sync
  while (longPolls.size === 0) await new Promise(resolve => { setImmediate(resolve) })
  await there.app.checkRevocations()
  await call(here, 'PUT', `/api/users/${(await register('eve')).id}/block`, other)
  t.match((await poll).body.conversations, [{ conversationId: 'self' }], 'it was answered by the change')
})

t.test('a node whose link is up again finds the logouts that it was not told of', async t => {
  const cid = await register('cid')
  const socket = await connect(t, there.url, cid.token)
  await there.app.checkRevocations()
  there.link.cut()
  await call(here, 'POST', '/api/auth/logout', cid.token)
  there.link.mend()
  t.equal(await socket.gone, 'io server disconnect')
})
