import { Value } from '@sinclair/typebox/value'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { directId } from '../../../src/chat/rules/conversation-id.ts'
import { ConversationsBody, DirectMessage, UnreadBody, historyBody } from '../../../src/schemas/message.ts'
import { startApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/sockets.ts'

const { app, url, register, call } = await startApp(t, { ADMIN_USERS: 'root', EDIT_WINDOW: '3600' })
const [ann, bob, eve, root] = [await register('ann'), await register('bob'), await register('eve'), await register('root')]

type User = typeof ann
const send = async (from: User, to: User, content: string, more: object = {}) =>
  (await call('POST', '/api/messages', { token: from.token, body: { receiverId: to.id, content, ...more } })).body

t.test('a message sent over REST is delivered live and obeys the same rules as over a socket', async t => {
  const receiver = await connect(t, url, bob.token)
  const answer = await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: 'over REST' } })
  t.equal(answer.status, 201)
  t.ok(Value.Check(DirectMessage, answer.body.message))
  t.equal(answer.body.rev, answer.body.message.rev)
  t.same(await receiver.wait('directMessage'), answer.body.message)
  for (const [body, status, code] of [
    [{ receiverId: ann.id, content: 'x' }, 403, 'NOT_ALLOWED'],
    [{ receiverId: 'f'.repeat(24), content: 'x' }, 404, 'USER_NOT_FOUND'],
    [{ receiverId: bob.id, content: '  ' }, 400, 'VALIDATION'],
    [{ receiverId: bob.id }, 400, 'VALIDATION'],
    [{ receiverId: bob.id, content: 'x', replyTo: 'f'.repeat(24) }, 400, 'VALIDATION']
  ] as const) {
    const refused = await call('POST', '/api/messages', { token: ann.token, body })
    t.equal(refused.status, status)
    t.match(refused.body, { success: false, code })
  }
  t.equal((await call('POST', '/api/messages', { body: { receiverId: bob.id, content: 'x' } })).status, 401)
})

t.test('a reply refers to a message of the same conversation', async t => {
  const { message } = await send(ann, bob, 'question')
  const reply = await send(bob, ann, 'answer', { replyTo: message._id })
  t.same(reply.message.replyTo, { _id: message._id, seq: message.seq, senderId: ann.id })
  t.match(await send(ann, eve, 'elsewhere', { replyTo: message._id }), { code: 'VALIDATION', message: /replyTo/ })
})

t.test('history has pages without a gap, each with the oldest message first', async t => {
  const [one, two] = [await register('one'), await register('two')]
  for (let i = 1; i <= 23; i++) await send(i % 2 === 0 ? one : two, i % 2 === 0 ? two : one, `n ${i}`)
  const seqs: number[] = []
  let before: number | undefined
  for (let hasMore = true; hasMore;) {
    const { status, body } = await call('GET', `/api/messages/${two.id}?limit=5${before === undefined ? '' : `&before=${before}`}`, { token: one.token })
    t.equal(status, 200)
    t.ok(Value.Check(historyBody(DirectMessage), body))
    seqs.unshift(...body.messages.map(({ seq }: { seq: number }) => seq))
    before = seqs[0]
    hasMore = body.hasMore
    t.equal(body.asOf.rev, 23)
  }
  t.same(seqs, Array.from({ length: 23 }, (_, index) => index + 1))
  t.same((await call('GET', `/api/messages/${eve.id}`, { token: one.token })).body.messages, [])
  t.equal((await call('GET', `/api/messages/${'f'.repeat(24)}`, { token: one.token })).status, 404)
})

t.test('a sync from the asOf of a page brings what came after it', async t => {
  const [one, two] = [await register('asof1'), await register('asof2')]
  const { message } = await send(one, two, 'first')
  const { body } = await call('GET', `/api/messages/${two.id}`, { token: one.token })
  await call('PUT', `/api/messages/${message._id}`, { token: one.token, body: { content: 'changed' } })
  await send(two, one, 'second')
  const sync = await call('POST', '/api/messages/sync-conversation', { token: one.token, body: { otherUserId: two.id, cursor: body.asOf.cursor } })
  t.same(sync.body.messages.map((row: { message: string }) => row.message), ['changed', 'second'])
})

t.test('conversations are listed by their last message, in pages, with unread counts', async t => {
  const me = await register('lister')
  const others: User[] = []
  for (let i = 0; i < 7; i++) {
    const other = await register(`other${i}`)
    others.push(other)
    await send(other, me, `from ${i}`)
  }
  await send(me, others[2]!, 'back')
  // A read moves the clock of a conversation, not its place in the list.
  t.equal((await call('PATCH', `/api/messages/conversations/${others[0]!.id}/read`, { token: me.token })).status, 200)
  const listed: Array<[string, number, string]> = []
  let after = ''
  do {
    const { body } = await call('GET', `/api/messages/conversations?limit=2${after}`, { token: me.token })
    t.ok(Value.Check(ConversationsBody, body))
    listed.push(...body.conversations.map((row: { user: { username: string }, unreadCount: number, lastMessage: { message: string } }) => [row.user.username, row.unreadCount, row.lastMessage.message]))
    after = body.next === null ? '' : `&after=${body.next}`
    t.equal(body.hasMore, body.next !== null)
  } while (after !== '')
  t.same(listed, [['other2', 1, 'back'], ['other6', 1, 'from 6'], ['other5', 1, 'from 5'], ['other4', 1, 'from 4'], ['other3', 1, 'from 3'], ['other1', 1, 'from 1'], ['other0', 0, 'from 0']])
  const unread = await call('GET', '/api/messages/unread-count', { token: me.token })
  t.ok(Value.Check(UnreadBody, unread.body))
  t.equal(unread.body.unreadCount, 6)
  t.equal(unread.body.conversations[directId(me.id, others[3]!.id)], 1)
  t.equal(unread.body.conversations[directId(me.id, others[0]!.id)], undefined)
})

t.test('reading a message reads all before it, and a read position never moves back', async t => {
  const [one, two] = [await register('reader'), await register('writer')]
  const ids: string[] = []
  for (let i = 0; i < 4; i++) ids.push((await send(two, one, String(i))).message._id)
  t.match((await call('PATCH', `/api/messages/${ids[2]}/read`, { token: one.token })).body, { success: true, conversationId: directId(one.id, two.id), seq: 3, at: String })
  t.match((await call('PATCH', `/api/messages/${ids[0]}/read`, { token: one.token })).body, { seq: 3 })
  const { body } = await call('GET', `/api/messages/${one.id}`, { token: two.token })
  t.same(body.messages.map(({ isRead }: { isRead: boolean }) => isRead), [true, true, true, false])
  t.match((await call('PATCH', `/api/messages/conversations/${two.id}/read`, { token: one.token })).body, { seq: 4 })
  t.match((await call('PATCH', `/api/messages/conversations/${eve.id}/read`, { token: one.token })).body, { success: true, seq: 0, at: null })
  t.equal((await call('PATCH', `/api/messages/conversations/${'f'.repeat(24)}/read`, { token: one.token })).status, 404)
})

t.test('a stranger gets 404 for everything in a conversation', async t => {
  const { message } = await send(ann, bob, 'secret')
  for (const [method, path, body] of [['PATCH', `/api/messages/${message._id}/read`], ['PUT', `/api/messages/${message._id}`, { content: 'x' }], ['DELETE', `/api/messages/${message._id}`]] as const) {
    const [real, made] = await Promise.all([eve, root].map(async who => await call(method, path, { token: who.token, body })))
    const unknown = await call(method, path.replace(message._id, 'f'.repeat(24)), { token: eve.token, body })
    t.equal(unknown.status, 404)
    t.same(real!.body, unknown.body)
    t.same(made!.body, unknown.body, 'an administrator is a stranger to direct conversations too')
  }
  const sync = await call('POST', '/api/messages/sync-conversation', { token: eve.token, body: { otherUserId: bob.id } })
  t.same(sync.body.messages, [])
})

t.test('rooms and the common chat work over REST for users with access', async t => {
  const roomId = 'rest-room'
  t.equal((await call('POST', `/api/rooms/${roomId}/messages`, { token: ann.token, body: { content: 'x' } })).status, 404)
  t.equal((await call('GET', `/api/rooms/${roomId}/messages`, { token: ann.token })).status, 404)
  const owner = await connect(t, url, ann.token)
  await owner.ask('joinRoom', roomId)
  t.equal((await call('POST', `/api/rooms/${roomId}/messages`, { token: bob.token, body: { content: 'x' } })).status, 403)
  t.equal((await call('GET', `/api/rooms/${roomId}/messages`, { token: bob.token })).status, 403)
  const member = await connect(t, url, bob.token)
  await member.ask('joinRoom', roomId)
  const posted = await call('POST', `/api/rooms/${roomId}/messages`, { token: bob.token, body: { content: 'hello', clientMessageId: 'r1' } })
  t.equal(posted.status, 201)
  t.same(await owner.wait('roomMessage'), posted.body.message)
  t.equal((await call('POST', `/api/rooms/${roomId}/messages`, { token: bob.token, body: { content: 'hello', clientMessageId: 'r1' } })).status, 200)
  t.match((await call('GET', `/api/rooms/${roomId}/messages`, { token: ann.token })).body, { messages: [{ message: 'hello', roomId, seq: 1 }], hasMore: false })

  const deleted = await call('DELETE', `/api/messages/${posted.body.message._id}`, { token: ann.token })
  t.match(deleted.body, { success: true, message: { isDeleted: true, message: '', roomId } }, 'the owner moderates')
  t.same(await member.wait('messageChanged'), deleted.body.message)

  const common = await call('POST', '/api/common-chat/message', { token: eve.token, body: { content: 'to all' } })
  t.equal(common.status, 201)
  t.match((await call('GET', '/api/common-chat/messages?limit=1', { token: bob.token })).body, { messages: [{ message: 'to all', user: { username: 'eve' } }] })
  t.equal((await call('DELETE', `/api/messages/${common.body.message._id}`, { token: bob.token })).status, 403)
  t.match((await call('DELETE', `/api/messages/${common.body.message._id}`, { token: root.token })).body, { message: { isDeleted: true } }, 'administrators moderate the common chat')
})

t.test('an edit is possible during its window, and marks the message as edited', async t => {
  const { message } = await send(ann, bob, 'as it was')
  const edited = await call('PUT', `/api/messages/${message._id}`, { token: ann.token, body: { content: 'as it is' } })
  t.match(edited.body, { success: true, message: { message: 'as it is', editedAt: String }, rev: message.rev + 1 })
  t.ok(edited.body.message.updatedAt > message.updatedAt)
  t.equal(edited.body.message.createdAt, message.createdAt)
  await app.chat.log.collections.rows.updateOne({ _id: new ObjectId(message._id as string) }, { $set: { createdAt: new Date(Date.now() - 3_600_001) } })
  const late = await call('PUT', `/api/messages/${message._id}`, { token: ann.token, body: { content: 'too late' } })
  t.equal(late.status, 403)
  t.equal((await call('DELETE', `/api/messages/${message._id}`, { token: ann.token })).status, 200)
})
