import t from 'tap'
import { startNodes, type TestNode } from '../helpers/nodes.ts'
import { connect } from '../helpers/sockets.ts'

const { nodes, call, register } = await startNodes(t, 3, () => ({ PRESENCE_GRACE: '1' }))
const [here, there, third] = nodes as [TestNode, TestNode, TestNode]
const [ann, bob] = [await register('ann'), await register('bob')]
await call(here, 'POST', '/api/messages', ann.token, { receiverId: bob.id, content: 'hello' })

const watch = async (t: Parameters<typeof connect>[0]) => {
  const watcher = await connect(t, here.url, ann.token)
  const { presence } = await watcher.ask('subscribePresence', { userIds: [bob.id] })
  return { ...watcher, presence }
}

t.test('a watcher learns that a user comes to or leaves another node', async t => {
  const watcher = await watch(t)
  t.match(watcher.presence, [{ userId: bob.id, status: 'offline' }])
  const socket = await connect(t, there.url, bob.token)
  t.match(await watcher.wait('presence'), { userId: bob.id, status: 'online', lastActiveAt: String })
  socket.socket.disconnect()
  t.match(await watcher.wait('presence', ({ status }) => status === 'offline'), { userId: bob.id })
})

t.test('a user who moves between nodes stays online', async t => {
  const first = await connect(t, there.url, bob.token)
  const watcher = await watch(t)
  t.match(watcher.presence, [{ status: 'online' }], 'who came before is found too')
  await connect(t, third.url, bob.token)
  const left = new Promise<void>(resolve => {
    const { roster } = there.app.nodes
    const { leave } = roster!
    roster!.leave = userId => {
      leave(userId)
      resolve()
    }
  })
  first.socket.disconnect()
  await left
  t.match((await watcher.ask('subscribePresence', { userIds: [bob.id] })).presence, [{ status: 'online' }])
  t.same(watcher.all('presence'), [])
})

t.test('the users of a dead node go offline when its lease ends', async t => {
  await connect(t, third.url, bob.token)
  const watcher = await watch(t)
  t.match(watcher.presence, [{ status: 'online' }])
  third.link.cut()
  third.link.endLease()
  t.match(await watcher.wait('presence'), { userId: bob.id, status: 'offline' })
})

t.test('a node whose link was down reads the users who came meanwhile', async t => {
  const watcher = await watch(t)
  here.link.cut()
  await connect(t, there.url, bob.token)
  here.link.mend()
  t.match(await watcher.wait('presence'), { userId: bob.id, status: 'online' })
})
