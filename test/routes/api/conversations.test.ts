import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { commonChatId, directId } from '../../../src/chat/rules/conversation-id.ts'
import { ConversationBody, ConversationListBody, type ListedConversation, StretchBody } from '../../../src/schemas/conversation.ts'
import { startApp } from '../../helpers/app.ts'
import { connect, connectLive } from '../../helpers/sockets.ts'

const { url, register, as } = await startApp(t, { RATE_LIMIT_SENDS: '0' })
type User = Awaited<ReturnType<typeof register>>
let made = 0
const someone = async () => await register(`person_${made++}`)

const say = async (from: User, to: object, content: string, more: object = {}) => {
  const { status, body } = await as(from)('POST', '/messages', { ...to, content, ...more })
  if (status !== 201) throw new Error(`a send answered ${status}: ${JSON.stringify(body)}`)
  return body.message
}
const room = async (owner: User, body: object, ...members: User[]) => {
  const { body: { room: { roomId } } } = await as(owner)('POST', '/rooms', { name: 'A room', ...body })
  for (const { id } of members) await as(owner)('PUT', `/rooms/${roomId}/members/${id}`, {})
  return { roomId, conversationId: `room_${roomId}` }
}
const list = async (user: User, query = '') => {
  const { status, body } = await as(user)('GET', `/conversations${query}`)
  t.equal(status, 200)
  t.ok(Value.Check(ConversationListBody, body), 'as documented')
  return body as { conversations: ListedConversation[], hasMore: boolean, next: string | null }
}
const stretch = async (user: User, conversationId: string, query = '') => {
  const { status, body } = await as(user)('GET', `/conversations/${conversationId}/messages${query}`)
  t.equal(status, 200)
  t.ok(Value.Check(StretchBody, body), 'as documented')
  const { messages, ...rest } = body as { messages: Array<{ seq: number }>, fromSeq: number, hasOlder: boolean, hasNewer: boolean }
  return { seqs: messages.map(({ seq }) => seq), ...rest }
}

t.test('one list has the conversations of every kind, latest activity first, as each is shown by itself', async t => {
  const [me, you] = [await someone(), await someone()]
  await say(you, { receiverId: me.id }, 'direct')
  const { roomId, conversationId } = await room(you, { isPrivate: true }, me)
  const last = await say(you, { roomId }, 'in the room')
  await say(you, { conversationId: commonChatId }, 'to all')
  const { conversations, hasMore, next } = await list(me)
  t.same([conversations.map(one => one.conversationId), hasMore, next], [[commonChatId, conversationId, directId(me.id, you.id)], false, null])
  t.match(conversations[1], { kind: 'room', name: 'A room', role: 'member', memberCount: 2, lastMessage: last, unreadCount: 1, readSeq: 0, rev: 3, lastActivityAt: last.timestamp })
  t.match(conversations[2], { kind: 'direct', user: { _id: you.id }, lastMessage: { message: 'direct' }, unreadCount: 1 })
  t.notHas(conversations[2], { name: String }, 'a direct conversation has no name')
  for (const one of conversations) {
    const { body } = await as(me)('GET', `/conversations/${one.conversationId}`)
    t.ok(Value.Check(ConversationBody, body))
    t.same(body.conversation, one)
  }
  t.same((await list(me, '?kind=room')).conversations.map(({ kind }) => kind), ['room'])
  t.same((await list(me, '?kind=common')).conversations.map(({ kind }) => kind), ['common'])
  t.same((await as(me)('GET', '/messages/conversations')).body.conversations.map((one: ListedConversation) => one.lastMessage), [conversations[2]!.lastMessage], 'the older route has the same')
})

t.test('the list has pages, and neither an edit nor a read position moves a conversation', async t => {
  const me = await someone()
  const others = await Promise.all(Array.from({ length: 5 }, someone))
  const first = await say(others[0]!, { receiverId: me.id }, 'n 0')
  for (const [index, other] of others.entries()) if (index > 0) await say(other, { receiverId: me.id }, `n ${index}`)
  await as(others[0]!)('PUT', `/messages/${first._id}`, { content: 'edited' })
  await as(me)('PATCH', `/conversations/${directId(me.id, others[1]!.id)}/read`, { seq: 1 })
  const seen: string[] = []
  for (let after = ''; ;) {
    const { conversations, hasMore, next } = await list(me, `?kind=direct&limit=2${after}`)
    seen.push(...conversations.map(({ user }) => user!._id))
    t.equal(hasMore, next !== null)
    if (next === null) break
    after = `&after=${encodeURIComponent(next)}`
  }
  t.same(seen, others.map(({ id }) => id).reverse())
  t.match(await as(me)('GET', '/conversations?after=x'), { status: 400, body: { code: 'BAD_CURSOR' } })
})

t.test('the last message in the list is the last one that you see', async t => {
  const [me, eve] = [await someone(), await someone()]
  const { roomId } = await room(me, {}, eve)
  await say(me, { roomId }, 'mine')
  await say(eve, { roomId }, 'hers')
  await as(me)('PUT', `/users/${eve.id}/block`)
  t.match((await list(me, '?kind=room')).conversations, [{ lastMessage: { message: 'mine' }, unreadCount: 0 }])
  const late = await someone()
  const hidden = await room(me, { history: 'joined' })
  await say(me, { roomId: hidden.roomId }, 'before they came')
  await as(me)('PUT', `/rooms/${hidden.roomId}/members/${late.id}`, {})
  t.match((await list(late, '?kind=room')).conversations, [{ lastMessage: null, unreadCount: 0, readSeq: 1 }])
})

t.test('history is read before, after and around a seq, and says from where it is complete', async t => {
  const [me, you, eve] = [await someone(), await someone(), await someone()]
  const { roomId, conversationId } = await room(me, {}, you, eve)
  for (let seq = 1; seq <= 10; seq++) await say(seq === 4 || seq === 5 ? eve : me, { roomId }, `n ${seq}`)
  const of = async (query: string) => await stretch(you, conversationId, query)
  t.match(await of('?limit=3'), { seqs: [8, 9, 10], fromSeq: 8, hasOlder: true, hasNewer: false })
  t.match(await of('?before=8&limit=3'), { seqs: [5, 6, 7], fromSeq: 5, hasOlder: true, hasNewer: true })
  t.match(await of('?before=3'), { seqs: [1, 2], fromSeq: 1, hasOlder: false, hasNewer: true })
  t.match(await of('?after=7&limit=2'), { seqs: [8, 9], fromSeq: 8, hasOlder: true, hasNewer: true })
  t.match(await of('?after=8'), { seqs: [9, 10], fromSeq: 9, hasOlder: true, hasNewer: false })
  t.match(await of('?after=0&limit=2'), { seqs: [1, 2], fromSeq: 1, hasOlder: false, hasNewer: true })
  t.match(await of('?after=10'), { seqs: [], fromSeq: 11, hasOlder: true, hasNewer: false })
  t.match(await of('?around=6&limit=4'), { seqs: [4, 5, 6, 7], fromSeq: 4, hasOlder: true, hasNewer: true })
  t.match(await of('?around=1&limit=4'), { seqs: [1, 2], fromSeq: 1, hasOlder: false, hasNewer: true })
  t.match(await of('?around=6&limit=1'), { seqs: [6], fromSeq: 6, hasOlder: true, hasNewer: true })
  await as(you)('PUT', `/users/${eve.id}/block`)
  t.match(await of('?before=6&limit=1'), { seqs: [3], fromSeq: 3, hasOlder: true }, 'what is hidden is passed over')
  t.match(await of('?before=8&limit=3'), { seqs: [6, 7], fromSeq: 5, hasOlder: true }, 'and is no hole in what is whole')
  t.match(await of('?after=3&limit=2'), { seqs: [6, 7], fromSeq: 4, hasNewer: true })
  t.match(await as(you)('GET', `/conversations/${conversationId}/messages?before=3&after=1`), { status: 400, body: { code: 'VALIDATION' } })
  t.match(await as(await someone())('GET', `/conversations/${directId(me.id, you.id)}/messages`), { status: 404 })
})

t.test('a message is found by its id in its conversation if you may see it', async t => {
  const [me, you, eve] = [await someone(), await someone(), await someone()]
  const { roomId, conversationId } = await room(me, {}, you)
  const message = await say(me, { roomId }, 'here')
  const path = `/conversations/${conversationId}/messages/${message._id}`
  t.match(await as(you)('GET', path), { status: 200, body: { success: true, message } })
  t.match(await as(eve)('GET', path), { status: 404 })
  t.match(await as(you)('GET', `/conversations/${commonChatId}/messages/${message._id}`), { status: 404 })
  await as(you)('PUT', `/users/${me.id}/block`)
  t.match(await as(you)('GET', path), { status: 404 })
})

t.test('one route moves read positions of every kind forward; the common chat\'s is in the self log', async t => {
  const [me, you] = [await someone(), await someone()]
  for (let count = 0; count < 3; count++) await say(you, { conversationId: commonChatId }, 'to all')
  const last = (await stretch(me, commonChatId, '?limit=1')).seqs[0]!
  const read = async (seq: number) => (await as(me)('PATCH', `/conversations/${commonChatId}/read`, { seq })).body
  t.match(await read(last - 1), { success: true, conversationId: commonChatId, seq: last - 1, at: String })
  t.match(await read(1), { seq: last - 1 }, 'never back')
  const phone = await connectLive(t, url, me.token)
  t.match(await read(last + 100), { seq: last })
  t.match(await phone.wait('conversationChanged'), { conversationId: 'self', change: { kind: 'read', conversationId: commonChatId, seq: last } }, 'the other devices are told')
  t.match((await list(me, '?kind=common')).conversations, [{ readSeq: last, unreadCount: 0 }])
  t.match((await list(you, '?kind=common')).conversations, [{ readSeq: 0 }])
  t.match(await phone.ask('markRead', { conversationId: commonChatId, seq: last }), { success: true, seq: last })
  await say(you, { receiverId: me.id }, 'direct')
  t.match((await as(me)('PATCH', `/conversations/${directId(me.id, you.id)}/read`, { seq: 9 })).body, { seq: 1 })
  t.match(await as(me)('PATCH', `/conversations/room_unknown.${made}/read`, { seq: 9 }), { status: 404 })
})

t.test('a message is sent to a conversation of any kind by its id, over REST and socket', async t => {
  const [me, you] = [await someone(), await someone()]
  const { conversationId } = await room(me, {}, you)
  const socket = await connectLive(t, url, you.token)
  for (const [to, event] of [[conversationId, 'roomMessage'], [directId(me.id, you.id), 'directMessage'], [commonChatId, 'commonChatMessage']] as const) {
    const message = await say(me, { conversationId: to }, 'hello', { clientMessageId: 'c1' })
    t.equal(message.conversationId, to)
    t.same(await socket.wait(event), message)
    t.match(await (await connect(t, url, me.token)).ask('sendMessage', { conversationId: to, content: 'hello', clientMessageId: 'c1' }), { success: true, duplicate: true, message: { _id: message._id } })
  }
  t.match(await as(me)('POST', '/messages', { content: 'to nobody' }), { status: 400, body: { code: 'VALIDATION', message: /receiverId/ } })
  t.match(await as(me)('POST', '/messages', { content: 'to two', receiverId: you.id, conversationId }), { status: 400 })
})
