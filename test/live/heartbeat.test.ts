import t from 'tap'
import { type TestNode, startNodes } from '../helpers/nodes.ts'
import { connect } from '../helpers/sockets.ts'

// Nothing that one node commits is carried to the other: what is told there is what a heartbeat finds.
const { bus, nodes, call, register } = await startNodes(t, 2)
const [here, there] = nodes as [TestNode, TestNode]
const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]
bus.times = () => 0

/** A room of ann's with bob and eve. */
async function makeRoom () {
  const { body: { room: { roomId, conversationId } } } = await call(here, 'POST', '/api/rooms', ann.token, { name: 'x', isPrivate: true })
  for (const { id } of [bob, eve]) await call(here, 'PUT', `/api/rooms/${roomId}/members/${id}`, ann.token)
  return { roomId, conversationId } as { roomId: string, conversationId: string }
}

const follow = async (t: Parameters<typeof connect>[0], token: string) => {
  const socket = await connect(t, there.url, token)
  const { heads } = await socket.ask('setupUser', { live: true })
  return { ...socket, heads: heads as Record<string, { rev: number }> }
}

t.test('a heartbeat names a conversation whose beginning was missed', async t => {
  const socket = await follow(t, bob.token)
  t.notOk('common_chat' in socket.heads)
  await call(here, 'POST', '/api/common-chat/message', ann.token, { content: 'the first of all' })
  await there.beat()
  await socket.wait('heads', payload => payload.common_chat === 1)
})

t.test('a heartbeat subscribes a member whose joining was missed, and unsubscribes one whose removal was', async t => {
  const { roomId, conversationId } = await makeRoom()
  const [member, removed] = [await follow(t, bob.token), await follow(t, eve.token)]
  const other = await makeRoom()
  await call(here, 'DELETE', `/api/rooms/${roomId}/members/${eve.id}`, ann.token)
  await there.beat()
  for (const socket of [member, removed]) await socket.wait('resync')
  const { rooms } = there.app.io.of('/').adapter
  t.same(rooms.get(conversationId), new Set([member.socket.id]))
  t.same(rooms.get(other.conversationId), new Set([member.socket.id, removed.socket.id]))
})

t.test('a socket that learns a head by itself does not keep the heartbeat from telling the others', async t => {
  const { roomId, conversationId } = await makeRoom()
  const before = await follow(t, bob.token)
  await call(here, 'POST', `/api/rooms/${roomId}/messages`, ann.token, { content: 'unseen' })
  const { heads } = await follow(t, eve.token)
  t.equal(heads[conversationId]!.rev, before.heads[conversationId]!.rev + 1)
  await there.beat()
  t.match(await before.wait('roomMessage'), { conversationId, rev: heads[conversationId]!.rev, message: 'unseen' })
})

t.test('I7: a member who is subscribed late gets the head by heartbeat, although others got it before', async t => {
  const member = await follow(t, bob.token)
  const { roomId, conversationId } = await makeRoom()
  await member.ask('sync', { cursors: {} })
  const { body: { message: { rev } } } = await call(here, 'POST', `/api/rooms/${roomId}/messages`, ann.token, { content: 'behind the sync' })
  t.equal((await follow(t, eve.token)).heads[conversationId]!.rev, rev)
  await there.beat()
  await member.wait('resync')
  await there.beat()
  await member.wait('heads', payload => payload[conversationId] === rev)
})
