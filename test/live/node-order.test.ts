import t from 'tap'
import { type TestNode, startNodes } from '../helpers/nodes.ts'
import { type TestSocket, connect, connectLive } from '../helpers/sockets.ts'

const { bus, nodes, call, register } = await startNodes(t, 2)
const [here, there] = nodes as [TestNode, TestNode]
const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]

/** A room of ann's in which bob and eve are, with their live sockets at the other node; the other node knows where it stands. */
async function makeRoom (t: Parameters<typeof connect>[0], settings: object = {}) {
  const [member, removed] = await Promise.all([connect(t, there.url, bob.token), connect(t, there.url, eve.token)])
  await Promise.all([member, removed].map(async socket => await socket.ask('setupUser', { live: true })))
  const { body: { room: { roomId, conversationId } } } = await call(here, 'POST', '/api/rooms', ann.token, { name: 'x', isPrivate: true, ...settings })
  for (const { id } of [bob, eve]) await call(here, 'PUT', `/api/rooms/${roomId}/members/${id}`, ann.token)
  // The owner's, then theirs.
  for (const socket of [member, removed]) await socket.wait('conversationChanged', ({ conversationId: id, rev }) => id === conversationId && rev === 3)
  return {
    member,
    removed,
    conversationId: conversationId as string,
    say: async (content: string, node = here) => (await call(node, 'POST', `/api/rooms/${roomId}/messages`, (node === here ? ann : bob).token, { content })).body.message.rev as number,
    remove: async () => await call(here, 'DELETE', `/api/rooms/${roomId}/members/${eve.id}`, ann.token),
    promote: async () => await call(here, 'PUT', `/api/rooms/${roomId}/members/${eve.id}`, ann.token, { role: 'moderator' }),
    invite: async () => await call(here, 'PUT', `/api/rooms/${roomId}/members/${eve.id}`, ann.token)
  }
}

const heard = ({ events }: TestSocket, conversationId: string) => events.filter(({ name, payload }) => payload?.conversationId === conversationId && name !== 'messagesRead')
const revsOf = (socket: TestSocket, conversationId: string) => heard(socket, conversationId).map(({ payload }) => payload.rev as number)
const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** Nothing is carried from one node to the other while `act` runs. */
async function unheard<T> (act: () => Promise<T>): Promise<T> {
  bus.times = () => 0
  try {
    return await act()
  } finally {
    bus.times = () => 1
  }
}

t.test('I4: a node learns of a removal whose word was lost before it sends a later change', async t => {
  const { member, removed, conversationId, say, remove } = await makeRoom(t)
  await unheard(async () => {
    await remove()
    await say('lost too')
  })
  const last = await say('heard')
  await member.wait('roomMessage', ({ rev }) => rev === last)
  t.same(revsOf(member, conversationId), from(2, last), 'the others miss nothing, and get it in order')
  await removed.ask('setupUser')
  t.same(revsOf(removed, conversationId), [3], 'who was removed hears of the own joining, and of nothing behind the removal')
})

t.test('I4: it learns of the removal too if the later change is its own', async t => {
  const { member, removed, conversationId, say, remove } = await makeRoom(t)
  await unheard(remove)
  const last = await say('mine', there)
  await member.wait('roomMessage', ({ rev }) => rev === last)
  t.same(revsOf(member, conversationId), from(2, last))
  await removed.ask('setupUser')
  t.same(revsOf(removed, conversationId), [3])
})

t.test('I4: a removal that is overtaken is delivered in its place', async t => {
  const { member, removed, conversationId, say, remove } = await makeRoom(t)
  bus.holds = () => true
  await remove()
  const last = await say('faster than the removal')
  bus.holds = () => false
  bus.release()
  await member.wait('roomMessage', ({ rev }) => rev === last)
  t.same(revsOf(member, conversationId), from(2, last))
  await removed.ask('setupUser')
  t.same(revsOf(removed, conversationId), [3])
})

t.test('I4: a user whose removal and return were missed gets only what follows the return', async t => {
  const { member, removed, conversationId, say, remove, invite } = await makeRoom(t, { history: 'joined' })
  const back = await unheard(async () => {
    await remove()
    await say('among themselves')
    await invite()
    return await say('with everybody')
  })
  const last = await say('heard')
  await Promise.all([member, removed].map(async socket => await socket.wait('roomMessage', ({ rev }) => rev === last)))
  t.same(revsOf(member, conversationId), from(2, last))
  t.match(heard(member, conversationId).find(({ payload }) => payload.rev === 4), { name: 'noop' }, 'the row of the removal has moved on to the new joining')
  t.same(revsOf(removed, conversationId), [3, ...from(back - 1, last)])
})

t.test('I4: a late membership shows nothing of the time before a user\'s unseen removal and return', async t => {
  const { member, removed, conversationId, say, remove, invite, promote } = await makeRoom(t, { history: 'joined' })
  await unheard(async () => await say('lost'))
  bus.holds = () => true
  await promote()
  await unheard(remove)
  const secret = await say('among themselves')
  await unheard(invite)
  const last = await say('with everybody')
  bus.holds = () => false
  bus.release()
  await Promise.all([member, removed].map(async socket => await socket.wait('roomMessage', ({ rev }) => rev === last)))
  t.same(revsOf(member, conversationId), from(2, last))
  t.same(revsOf(removed, conversationId), [3, ...from(secret + 1, last)])
})

t.test('I4: read positions and heads of a room do not reach a user whose removal was missed', async t => {
  const { member, removed, conversationId, say, remove } = await makeRoom(t)
  const joined = await connect(t, there.url, eve.token)
  await joined.ask('joinRoom', conversationId.slice('room_'.length))
  const last = await say('to be read')
  await joined.wait('roomMessage', ({ rev }) => rev === last)
  await unheard(async () => { await remove() })
  await call(here, 'PATCH', `/api/messages/${heard(member, conversationId).at(-1)!.payload._id as string}/read`, ann.token)
  await member.wait('messagesRead', payload => payload.conversationId === conversationId)
  await unheard(async () => { await say('lost') })
  await there.beat()
  await member.wait('roomMessage', ({ message }) => message === 'lost')
  await there.beat()
  await member.wait('heads', payload => payload[conversationId] === last + 2)
  for (const socket of [removed, joined]) {
    await socket.ask('setupUser')
    t.same(revsOf(socket, conversationId).filter(rev => rev > last), [])
    t.same(socket.all('messagesRead').filter(payload => payload.conversationId === conversationId), [])
    t.same(socket.all('heads').filter(payload => payload[conversationId] > last), [])
  }
})

t.test('I7: a word that comes twice is delivered once', async t => {
  const { member, conversationId, say } = await makeRoom(t)
  bus.times = () => 2
  for (const content of ['one', 'two', 'three']) await say(content)
  bus.times = () => 1
  const last = await say('four')
  await member.wait('roomMessage', ({ rev }) => rev === last)
  t.same(revsOf(member, conversationId), from(2, last))
})

/** A direct conversation of two new users, the first at one node and the second, with a live socket, at the other. */
async function makeDirect (t: Parameters<typeof connect>[0], name: string) {
  const [one, two] = [await register(`${name}-one`), await register(`${name}-two`)]
  const say = async (node: TestNode, content: string) => {
    const [from, to] = node === here ? [one, two] : [two, one]
    const { body } = await call(node, 'POST', '/api/messages', from.token, { receiverId: to.id, content })
    return body.message as { conversationId: string, rev: number }
  }
  const follow = async () => {
    const socket = await connectLive(t, there.url, two.token)
    return socket
  }
  return { say, follow }
}

t.test('I7: the first message of a conversation is delivered, although the second one overtakes it', async t => {
  const { say, follow } = await makeDirect(t, 'first')
  const socket = await follow()
  bus.holds = () => true
  const { conversationId } = await say(here, 'the first')
  // Its word comes as soon as the other node has taken the second message.
  const stop = there.app.chat.log.onCommitted(() => {
    stop()
    bus.holds = () => false
    bus.release()
  })
  t.equal((await say(there, 'the second')).rev, 2)
  await socket.wait('directMessage', ({ rev }) => rev === 2)
  t.same(revsOf(socket, conversationId), [1, 2])
})

t.test('I7: a lost message is read although nothing of its conversation was delivered before', async t => {
  const { say, follow } = await makeDirect(t, 'lost')
  await say(here, 'before the socket')
  const socket = await follow()
  const { conversationId } = await unheard(async () => await say(here, 'lost'))
  const last = await say(here, 'heard')
  await socket.wait('directMessage', ({ rev }) => rev === last.rev)
  t.same(revsOf(socket, conversationId), [2, 3])
})

t.test('a socket that comes back does not get again what was said while it was away', async t => {
  const { say, follow } = await makeDirect(t, 'back')
  const before = await follow()
  const { conversationId } = await say(here, 'heard')
  await before.wait('directMessage')
  before.socket.disconnect()
  await unheard(async () => { for (const content of ['away', 'away too']) await say(here, content) })
  const socket = await follow()
  const last = await say(here, 'heard again')
  await socket.wait('directMessage', ({ rev }) => rev === last.rev)
  t.same(revsOf(socket, conversationId), [last.rev])
})

t.test('I4: a gap that is too long to fill unsubscribes users who may not follow, and clients see it', async t => {
  const { member, removed, conversationId, say, remove } = await makeRoom(t)
  const missed = await unheard(async () => {
    await remove()
    return await Promise.all(Array.from({ length: 520 }, async () => await say('unheard')))
  })
  const last = await say('heard')
  t.equal(last, Math.max(...missed) + 1)
  await member.wait('roomMessage', ({ rev }) => rev === last)
  t.same(revsOf(member, conversationId), [2, 3, last])
  await removed.ask('setupUser')
  t.same(revsOf(removed, conversationId), [3])
})

t.test('I4: typing reaches subscribers, but not a user whose removal was missed', async t => {
  const { member, removed, conversationId, say, remove } = await makeRoom(t)
  const typist = await connect(t, here.url, ann.token)
  t.match(await typist.ask('typing', { conversationId, on: true }), { success: true })
  await Promise.all([member, removed].map(async socket => await socket.wait('typing')))
  await unheard(remove)
  await typist.ask('typing', { conversationId, on: false })
  t.match(await member.wait('typing', ({ on }) => on === false), { conversationId, userId: ann.id })
  const last = await say('a fence')
  await member.wait('roomMessage', ({ rev }) => rev === last)
  await removed.ask('setupUser')
  t.equal(removed.all('typing').length, 1)
})

t.test('a block known to one node hides typing on another', async t => {
  const { member, conversationId, say } = await makeRoom(t)
  const typist = await connect(t, here.url, ann.token)
  await call(here, 'PUT', `/api/users/${ann.id}/block`, bob.token)
  await member.wait('conversationChanged', ({ change }) => change.kind === 'block')
  await typist.ask('typing', { conversationId, on: true })
  const last = await say('a fence')
  await member.wait('noop', ({ rev }) => rev === last)
  t.same(member.all('typing'), [])
  await call(here, 'DELETE', `/api/users/${ann.id}/block`, bob.token)
})

t.test('a live socket is subscribed to a room whose words were all lost, and told to sync', async t => {
  const socket = await connectLive(t, there.url, bob.token)
  const roomId = await unheard(async () => {
    const { body: { room } } = await call(here, 'POST', '/api/rooms', ann.token, { name: 'unheard', isPrivate: true })
    await call(here, 'PUT', `/api/rooms/${room.roomId}/members/${bob.id}`, ann.token)
    return room.roomId as string
  })
  await there.beat()
  await socket.wait('resync')
  await call(here, 'POST', `/api/rooms/${roomId}/messages`, ann.token, { content: 'hello' })
  t.match(await socket.wait('roomMessage'), { message: 'hello' })
})

t.test('a room that a live socket has left does not start again after a missed change', async t => {
  const { member, conversationId, say } = await makeRoom(t)
  await member.ask('leaveRoom', conversationId.slice('room_'.length))
  await member.ask('leaveCommonChat')
  const roomId = await unheard(async () => {
    const { body: { room } } = await call(here, 'POST', '/api/rooms', ann.token, { name: 'unheard', isPrivate: true })
    await call(here, 'PUT', `/api/rooms/${room.roomId}/members/${bob.id}`, ann.token)
    return room.roomId as string
  })
  await there.beat()
  await member.wait('resync')
  const left = await say('behind the leaving')
  await call(here, 'POST', '/api/common-chat/message', ann.token, { content: 'behind that too' })
  await call(here, 'POST', `/api/rooms/${roomId}/messages`, ann.token, { content: 'hello' })
  await member.wait('roomMessage', ({ message }) => message === 'hello')
  await member.ask('setupUser')
  t.same(revsOf(member, conversationId).filter(rev => rev >= left), [])
  t.same(member.all('commonChatMessage'), [])
})
