import t from 'tap'
import { commonChatId, directId } from '../../src/chat/rules/conversation-id.ts'
import { startApp } from '../helpers/app.ts'
import { beatsWhenAsked } from '../helpers/beats.ts'
import { type TestSocket, connect } from '../helpers/sockets.ts'

const { app, url, register, as } = await startApp(t)
const beat = beatsWhenAsked(app)

type User = Awaited<ReturnType<typeof register>>
let made = 0
const people = async (count: number) => await Promise.all(Array.from({ length: count }, () => register(`p_${made++}`)))
const say = async (from: User, conversationId: string, content = 'hello') => {
  await as(from)('POST', '/messages', { conversationId, content })
}
const roomOf = async (owner: User, ...members: User[]): Promise<string> => {
  const { body: { room } } = await as(owner)('POST', '/rooms', { name: 'room', isPrivate: true })
  for (const { id } of members) await as(owner)('PUT', `/rooms/${room.roomId}/members/${id}`)
  return room.conversationId
}
const phone = async (user: User, only?: string[]) => {
  const socket = await connect(t, url, user.token)
  const answer = await socket.ask('setupUser', { live: true, only })
  return { socket, heads: Object.keys(answer.heads as object).sort() }
}
/** What came live of conversations, in order, beside the self log. */
const came = ({ events }: TestSocket) =>
  events.flatMap(({ payload }) => payload?.message === undefined ? [] : [payload.message])

t.test('a socket gets the conversations that it names, of every kind, and its self log', async t => {
  const [ann, bob, cid] = await people(3) as [User, User, User]
  const [mine, other] = [await roomOf(ann, bob), await roomOf(ann, bob)]
  const [direct, unnamed] = [directId(ann.id, bob.id), directId(ann.id, cid.id)]
  for (const id of [direct, unnamed, commonChatId]) await say(ann, id, 'before')
  const named = [mine.toUpperCase().replace('ROOM', 'room'), direct, commonChatId]
  const { socket, heads } = await phone(ann, [...named, 'nonsense', 'self', `room_${'f'.repeat(24)}`])
  t.same(heads, [commonChatId, direct, mine, 'self'].sort(), 'the answer has their heads')
  const { socket: whole } = await phone(ann)
  for (const id of [other, mine, direct, commonChatId]) await say(bob, id, id)
  await say(cid, unnamed, unnamed)
  await as(ann)('PATCH', `/conversations/${other}`, { pinned: true })
  await socket.wait('conversationChanged', ({ change }) => change.kind === 'settings')
  await whole.wait('directMessage', ({ message }) => message === unnamed)
  t.same(came(socket), [mine, direct, commonChatId])
  t.same(came(whole), [other, mine, direct, commonChatId, unnamed], 'the other device named none, and gets all')
  await socket.ask('sendMessage', { conversationId: unnamed, content: 'mine' })
  t.equal(came(socket).length, 3, 'what it sends elsewhere comes in the acknowledgement alone')
})

t.test('heartbeats name only these conversations', async t => {
  const [ann, bob] = await people(2) as [User, User]
  const [mine, other] = [await roomOf(ann, bob), await roomOf(ann, bob)]
  const { socket } = await phone(ann, [mine])
  for (const id of [other, directId(ann.id, bob.id), mine]) await say(bob, id)
  await beat()
  const heads = await socket.wait('heads')
  t.same(Object.keys(heads as object).sort(), [mine, 'self'].sort())
})

t.test('a later conversation comes only if it was named, and the self log announces the others', async t => {
  const [ann, bob] = await people(2) as [User, User]
  const direct = directId(ann.id, bob.id)
  const { socket } = await phone(ann, [direct, 'room_lounge'])
  const other = await roomOf(bob, ann)
  await socket.wait('conversationChanged', ({ change }) => change.conversationId === other)
  await as(ann)('PUT', '/rooms/lounge/members/me')
  const open = await connect(t, url, bob.token)
  await open.ask('joinRoom', 'lounge')
  await as(ann)('PUT', '/rooms/lounge/members/me')
  await socket.wait('conversationChanged', ({ conversationId }) => conversationId === 'room_lounge')
  await say(bob, other, 'unseen')
  await say(bob, 'room_lounge', 'in the lounge')
  await say(bob, direct, 'first')
  await socket.wait('directMessage')
  t.same(came(socket), ['in the lounge', 'first'])
})

t.test('a new list replaces the old one, no list means all conversations, and joining a room adds it', async t => {
  const [ann, bob] = await people(2) as [User, User]
  const [one, two] = [await roomOf(ann, bob), await roomOf(ann, bob)]
  const direct = directId(ann.id, bob.id)
  await say(ann, direct, 'before')
  const { socket } = await phone(ann, [one, direct])
  const { heads } = await socket.ask('setupUser', { live: true, only: [two] })
  t.same(Object.keys(heads as object).sort(), [two, 'self'].sort())
  for (const id of [one, direct, two]) await say(bob, id, `a ${id}`)
  await socket.ask('joinRoom', one.slice('room_'.length))
  for (const id of [direct, one, two]) await say(bob, id, `b ${id}`)
  await socket.ask('leaveRoom', two.slice('room_'.length))
  for (const id of [two, direct, one]) await say(bob, id, `c ${id}`)
  t.equal(Object.keys((await socket.ask('setupUser', { live: true })).heads as object).length, 5)
  for (const id of [one, direct, two]) await say(bob, id, `d ${id}`)
  await socket.wait('roomMessage', ({ message }) => message === `d ${two}`)
  t.same(came(socket), [`a ${two}`, `b ${one}`, `b ${two}`, `c ${one}`, `d ${one}`, `d ${direct}`, `d ${two}`])
  const { socket: self } = await phone(ann, [])
  await say(bob, direct, 'last')
  await as(ann)('PATCH', `/conversations/${direct}`, { pinned: true })
  await self.wait('conversationChanged')
  t.same(came(self), [], 'an empty list: the self log alone')
})

t.test('a hidden change fills the rev of a named direct conversation, and is nothing for another', async t => {
  const [ann, bob] = await people(2) as [User, User]
  const direct = directId(ann.id, bob.id)
  const { body: { message } } = await as(bob)('POST', '/messages', { conversationId: direct, content: 'hide me' })
  await as(ann)('PATCH', `/conversations/${direct}`, { hideSeqs: [message.seq] })
  const [{ socket: named }, { socket: other }] = [await phone(ann, [direct]), await phone(ann, [])]
  const { socket: whole } = await phone(ann)
  await as(bob)('PUT', `/messages/${message._id}`, { content: 'edited' })
  t.same(await named.wait('noop'), { conversationId: direct, rev: message.rev + 1 })
  await whole.wait('noop')
  await as(bob)('DELETE', `/messages/${message._id}`)
  await whole.wait('noop', ({ rev }) => rev === message.rev + 2)
  await other.ask('setupUser')
  t.same(other.all('noop'), [])
  const typist = await connect(t, url, bob.token)
  await typist.ask('typing', { conversationId: direct, on: true })
  t.match(await named.wait('typing'), { conversationId: direct, userId: bob.id, on: true })
  await other.ask('setupUser')
  t.same(other.all('typing'), [])
})

t.test('`only` takes at most 1,000 names, and only together with `live`', async t => {
  const [ann] = await people(1) as [User]
  const socket = await connect(t, url, ann.token)
  const named = async (only: unknown, live = true) => await socket.ask('setupUser', { live, only })
  const ids = Array.from({ length: 1_001 }, (_, index) => `room_${index}`)
  t.match(await named(ids), { success: false, code: 'VALIDATION', message: /^only / })
  t.match(await named(ids.slice(1)), { success: true })
  for (const wrong of ['room_1', [1], { 0: 'room_1' }, [''], null]) t.match(await named(wrong), { code: 'VALIDATION' })
  t.match(await named('room_1', false), { success: true })
})
