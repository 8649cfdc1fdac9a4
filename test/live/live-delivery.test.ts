import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { serverEvents } from '../../src/schemas/events.ts'
import { SyncBody } from '../../src/schemas/sync.ts'
import { startApp } from '../helpers/app.ts'
import { beatsWhenAsked } from '../helpers/beats.ts'
import { type TestSocket, connect, connectLive } from '../helpers/sockets.ts'

const { app, url, register, call } = await startApp(t, { RATE_LIMIT_SENDS: '0' })
const beat = beatsWhenAsked(app)
const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]

/** Makes a room of ann's, with members. */
async function makeRoom (settings: object, ...members: Array<{ id: string }>): Promise<{ roomId: string, conversationId: string }> {
  const { body } = await call('POST', '/api/rooms', { token: ann.token, body: { name: 'room', ...settings } })
  for (const { id } of members) await invite(body.room.roomId, id)
  return body.room
}

async function invite (roomId: string, userId: string) {
  const { status } = await call('PUT', `/api/rooms/${roomId}/members/${userId}`, { token: ann.token })
  if (status !== 200) throw new Error(`inviting answered ${status}`)
}

async function say (who: { token: string }, roomId: string, content: string) {
  const { status, body } = await call('POST', `/api/rooms/${roomId}/messages`, { token: who.token, body: { content } })
  if (status !== 201) throw new Error(`sending answered ${status}`)
  return body.message
}

/** What a socket heard of a conversation, in order. */
function heard ({ events }: TestSocket, conversationId: string) {
  return events.filter(({ name, payload }) => payload?.conversationId === conversationId && name !== 'messagesRead' && name !== 'typing')
}

const revsOf = (socket: TestSocket, conversationId: string) => heard(socket, conversationId).map(({ payload }) => payload.rev as number)

/** Settles when all that was delivered before has arrived. */
const settled = async (...sockets: TestSocket[]) => await Promise.all(sockets.map(socket => socket.ask('setupUser')))

t.test('setupUser {live: true} subscribes to all conversations and answers with their heads', async t => {
  const { roomId, conversationId } = await makeRoom({ isPrivate: true }, bob)
  await say(ann, roomId, 'before')
  await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: 'hi' } })
  const socket = await connect(t, url, bob.token)
  const { success, userId, heads } = await socket.ask('setupUser', { live: true })
  t.equal(success, true)
  t.equal(userId, bob.id)
  t.match(heads, { [conversationId]: { rev: 3, cursor: String }, [directId(ann.id, bob.id)]: { rev: 1, cursor: String }, self: { rev: Number } })
  const cursors = Object.fromEntries(Object.entries(heads as Record<string, { cursor: string }>).map(([id, { cursor }]) => [id, cursor]))
  t.match(await socket.ask('sync', { cursors }), { success: true, conversations: [], hasMore: false }, 'the cursors are those of a sync')
  await say(ann, roomId, 'after')
  t.match(await socket.wait('roomMessage'), { message: 'after', conversationId, rev: 4 })
  t.same(revsOf(socket, conversationId), [4])
})

t.test('a message sent during the subscription is in the heads or comes live', async t => {
  const { roomId, conversationId } = await makeRoom({}, bob)
  for (let round = 0; round < 10; round++) {
    const socket = await connect(t, url, bob.token)
    const [{ heads }] = await Promise.all([socket.ask('setupUser', { live: true }), ...Array.from({ length: 10 }, () => say(ann, roomId, 'x'))])
    const last = await say(ann, roomId, 'last')
    await socket.wait('roomMessage', ({ rev }) => rev === last.rev)
    const revs = revsOf(socket, conversationId).filter(rev => rev > heads[conversationId].rev)
    t.same(revs, Array.from({ length: last.rev - heads[conversationId].rev }, (_, index) => heads[conversationId].rev + 1 + index))
    socket.socket.close()
  }
})

t.test('a live socket gets a room from the change that makes its user a member until the removal', async t => {
  const { roomId, conversationId } = await makeRoom({ isPrivate: true })
  const [member, owner, stranger] = await Promise.all([connect(t, url, bob.token), connect(t, url, ann.token), connect(t, url, eve.token)])
  await Promise.all([member, owner, stranger].map(async socket => await socket.ask('setupUser', { live: true })))
  await say(ann, roomId, 'unheard')
  await invite(roomId, bob.id)
  const own = await member.wait('conversationChanged', ({ conversationId, change }) => conversationId === 'self' && change.conversationId === `room_${roomId}`)
  t.match(own, { rev: Number, change: { kind: 'membership', userId: bob.id, role: 'member' } })
  await say(ann, roomId, 'heard')
  await call('PATCH', `/api/rooms/${roomId}`, { token: ann.token, body: { name: 'renamed' } })
  await call('DELETE', `/api/rooms/${roomId}/members/${bob.id}`, { token: ann.token })
  await say(ann, roomId, 'too late')
  await settled(member, owner, stranger)
  t.match(heard(member, conversationId), [
    { name: 'conversationChanged', payload: { rev: 3, change: { rev: 3, kind: 'membership', userId: bob.id, role: 'member' } } },
    { name: 'roomMessage', payload: { rev: 4, message: 'heard' } },
    { name: 'conversationChanged', payload: { rev: 5, change: { rev: 5, kind: 'meta', name: 'renamed', isPrivate: true } } }
  ])
  t.equal(heard(member, conversationId).length, 3)
  t.match(member.all('conversationChanged').at(-1), { conversationId: 'self', change: { kind: 'membership', conversationId, userId: bob.id, role: null } })
  t.same(revsOf(owner, conversationId), [2, 3, 4, 5, 6, 7])
  t.same(stranger.events.filter(({ name }) => name !== 'userSetup'), [], 'a stranger hears nothing at all')
  for (const { name, payload } of member.events) if (name === 'conversationChanged') t.ok(Value.Check(serverEvents.conversationChanged, payload), 'has the form that the schema says')
})

t.test('a removal ends a room, and its typing, for a socket that joined by itself', async t => {
  const { roomId, conversationId } = await makeRoom({}, bob)
  const [member, owner] = await Promise.all([connect(t, url, bob.token), connect(t, url, ann.token)])
  await Promise.all([member.ask('joinRoom', roomId), owner.ask('joinRoom', roomId)])
  await call('PUT', `/api/rooms/${roomId}/bans/${bob.id}`, { token: ann.token })
  await say(ann, roomId, 'unheard')
  await owner.ask('typing', { conversationId, on: true })
  t.match(await member.ask('joinRoom', roomId), { success: false })
  t.match(await member.ask('sendRoomMessage', { roomId, content: 'x' }), { success: false })
  await say(ann, roomId, 'unheard too')
  await settled(member, owner)
  t.same(heard(member, conversationId), [])
  t.same(member.all('typing'), [])
  t.same(revsOf(owner, conversationId), [3, 4, 5])
})

t.test('deleting a room unsubscribes everybody', async t => {
  const { roomId, conversationId } = await makeRoom({}, bob)
  const member = await connectLive(t, url, bob.token)
  t.equal((await call('DELETE', `/api/rooms/${roomId}`, { token: ann.token })).status, 200)
  await member.wait('conversationChanged', ({ conversationId: id, change }) => id === 'self' && change.conversationId === conversationId && change.role === null)
  t.match(heard(member, conversationId), [{ payload: { change: { kind: 'meta', deleted: true } } }])
  t.equal(heard(member, conversationId).length, 1)
})

t.test('a user who blocked the sender gets noops until the block ends, in rooms and the common chat', async t => {
  const { roomId, conversationId } = await makeRoom({}, bob, eve)
  const [blocker, other] = await Promise.all([connect(t, url, bob.token), connect(t, url, eve.token)])
  await Promise.all([blocker.ask('setupUser', { live: true }), other.ask('setupUser', { live: true })])
  const first = await say(ann, roomId, 'first')
  await call('PUT', `/api/users/${ann.id}/block`, { token: bob.token })
  t.match(await blocker.wait('conversationChanged', ({ conversationId, change }) => conversationId === 'self' && change.kind === 'block'), { change: { userId: ann.id, on: true } })
  const second = await say(ann, roomId, 'second')
  await call('PUT', `/api/messages/${first._id}`, { token: ann.token, body: { content: 'first, edited' } })
  await say(eve, roomId, 'third')
  const common = await call('POST', '/api/common-chat/message', { token: ann.token, body: { content: 'to all' } })
  await call('DELETE', `/api/users/${ann.id}/block`, { token: bob.token })
  await say(ann, roomId, 'fourth')
  await settled(blocker, other)
  t.match(heard(blocker, conversationId).map(({ name, payload }) => [name, payload.rev, payload.message]), [
    ['roomMessage', 4, 'first'], ['noop', 5, undefined], ['noop', 6, undefined], ['roomMessage', 7, 'third'], ['roomMessage', 8, 'fourth']
  ])
  t.same(heard(blocker, conversationId)[1]?.payload, { conversationId, rev: second.rev }, 'and nothing else is in it')
  t.same(heard(blocker, 'common_chat'), [{ name: 'noop', payload: { conversationId: 'common_chat', rev: common.body.rev } }])
  t.same(heard(other, conversationId).map(({ name }) => name), ['roomMessage', 'roomMessage', 'messageChanged', 'roomMessage', 'roomMessage'])
})

t.test('a member who cannot see older messages gets noops for changes of them', async t => {
  const { roomId, conversationId } = await makeRoom({ history: 'joined' })
  const old = await say(ann, roomId, 'old')
  await invite(roomId, bob.id)
  const [live, joining, owner] = await Promise.all([connect(t, url, bob.token), connect(t, url, bob.token), connect(t, url, ann.token)])
  await Promise.all([live.ask('setupUser', { live: true }), joining.ask('joinRoom', roomId), owner.ask('setupUser', { live: true })])
  const recent = await say(ann, roomId, 'recent')
  for (const { _id } of [old, recent]) await call('PUT', `/api/messages/${_id}`, { token: ann.token, body: { content: 'edited' } })
  // Delivery reads first who has hidden an older message: acknowledgements may overtake it.
  await Promise.all([live, joining, owner].map(socket => socket.wait('messageChanged', ({ rev }) => rev === 6)))
  for (const socket of [live, joining]) t.same(heard(socket, conversationId).map(({ name, payload }) => [name, payload.rev]), [['roomMessage', 4], ['noop', 5], ['messageChanged', 6]])
  t.same(heard(owner, conversationId).map(({ name }) => name), ['roomMessage', 'messageChanged', 'messageChanged'])
})

t.test('an answer may come before the event of an edit, which waits for a read; finish waits for it', async t => {
  const { roomId, conversationId } = await makeRoom({}, bob)
  const socket = await connectLive(t, url, bob.token)
  const { _id } = await say(ann, roomId, 'x')
  const { hidden } = app.chat
  let release = () => {}
  const released = new Promise<void>(resolve => { release = resolve })
  hidden.usersHiding = async row => {
    Reflect.deleteProperty(hidden, 'usersHiding')
    await released
    return await hidden.usersHiding(row)
  }
  t.equal((await call('PUT', `/api/messages/${_id}`, { token: ann.token, body: { content: 'edited' } })).status, 200)
  await say(ann, roomId, 'later')
  await settled(socket)
  t.same(revsOf(socket, conversationId), [3], 'both are acknowledged, and nothing is sent yet')
  release()
  await app.live.finish()
  await settled(socket)
  t.same(heard(socket, conversationId).map(({ name }) => name), ['roomMessage', 'messageChanged', 'roomMessage'])
  t.same(revsOf(socket, conversationId), [3, 4, 5], 'what was sent later comes behind it')
})

t.test('a socket that joins a room by itself gets nothing from before the joining', async t => {
  const { roomId, conversationId } = await makeRoom({ isPrivate: false, history: 'joined' })
  const socket = await connect(t, url, bob.token)
  await Promise.all([socket.ask('joinRoom', roomId), ...Array.from({ length: 20 }, () => say(ann, roomId, 'x'))])
  await settled(socket)
  const [first, ...rest] = heard(socket, conversationId)
  t.match(first, { name: 'conversationChanged', payload: { change: { kind: 'membership', userId: bob.id } } })
  t.same(rest.map(({ payload }) => payload.rev), rest.map((_, index) => first!.payload.rev + 1 + index))
})

t.test('leaving ends live delivery on that socket only', async t => {
  const { roomId, conversationId } = await makeRoom({}, bob)
  const [one, two] = await Promise.all([connect(t, url, bob.token), connect(t, url, bob.token)])
  await Promise.all([one, two].map(async socket => await socket.ask('setupUser', { live: true })))
  await one.ask('leaveRoom', roomId)
  await one.ask('leaveCommonChat')
  await say(ann, roomId, 'x')
  await one.ask('sendCommonChatMessage', { content: 'x' })
  await settled(one, two)
  t.same([heard(one, conversationId).length, heard(two, conversationId).length], [0, 1])
  t.same([heard(one, 'common_chat').length, heard(two, 'common_chat').length], [0, 1])
})

t.test('a heartbeat names a rev whose event was lost, once, and only to users who may see it', async t => {
  const { roomId, conversationId } = await makeRoom({ isPrivate: true }, bob)
  const [member, seed, stranger] = await Promise.all([connect(t, url, bob.token), connect(t, url, bob.token), connect(t, url, eve.token)])
  await Promise.all([member.ask('setupUser', { live: true }), seed.ask('joinRoom', roomId), stranger.ask('setupUser', { live: true })])
  await beat()
  await settled(member, seed, stranger)
  for (const { events } of [member, seed, stranger]) events.length = 0
  const { rev } = await say(ann, roomId, 'x')
  await beat()
  t.match(await member.wait('heads'), { [conversationId]: rev })
  t.match(await seed.wait('heads'), { [conversationId]: rev })
  await beat()
  await settled(member, stranger)
  t.equal(member.all('heads').length, 1, 'nothing has changed since')
  t.same(stranger.events.filter(({ name }) => name !== 'userSetup'), [])
})

t.test('direct messages, reads and the self log reach all live devices', async t => {
  const conversationId = directId(ann.id, eve.id)
  const [one, two, other] = await Promise.all([connect(t, url, ann.token), connect(t, url, ann.token), connect(t, url, eve.token)])
  await Promise.all([one, two, other].map(async socket => await socket.ask('setupUser', { live: true })))
  const { message } = await one.ask('sendDirectMessage', { receiverId: eve.id, content: 'first of all' })
  await other.ask('markRead', { conversationId, seq: message.seq })
  for (const socket of [one, two]) {
    t.match(await socket.wait('conversationChanged', ({ change }) => change.conversationId === conversationId), { conversationId: 'self', change: { kind: 'membership', userId: ann.id, role: 'member' } })
    t.match(await socket.wait('messagesRead'), { conversationId, userId: eve.id, seq: message.seq })
  }
  t.match(await other.wait('conversationChanged', ({ change }) => change.kind === 'read'), { conversationId: 'self', change: { conversationId, seq: message.seq } })
  const { body } = await call('POST', '/api/sync', { token: eve.token, body: {} })
  t.ok(Value.Check(SyncBody, body))
  const synced = await other.ask('sync', {})
  t.same({ ...synced, serverTime: undefined }, { ...body, serverTime: undefined }, 'the socket\'s sync is that of REST')
  t.match(await other.ask('sync', { cursors: { self: 'x' } }), { success: false, code: 'BAD_CURSOR' })
})

t.test('a removal between reading the memberships and subscribing is not missed', async t => {
  const { roomId, conversationId } = await makeRoom({}, bob)
  const socket = await connect(t, url, bob.token)
  const { conversations } = app.sync
  const look = conversations.get.bind(conversations)
  conversations.get = async (...given) => {
    const found = await look(...given)
    conversations.get = look
    await call('DELETE', `/api/rooms/${roomId}/members/${bob.id}`, { token: ann.token })
    return found
  }
  const { heads } = await socket.ask('setupUser', { live: true })
  t.notOk(conversationId in heads)
  await say(ann, roomId, 'too late')
  await settled(socket)
  t.same(heard(socket, conversationId), [])
})
