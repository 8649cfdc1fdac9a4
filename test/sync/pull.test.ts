import { Value } from '@sinclair/typebox/value'
import { MongoNetworkTimeoutError } from 'mongodb'
import t from 'tap'
import { setBlock } from '../../src/chat/conversations/block-user.ts'
import { commonChatId, directId, roomConversationId } from '../../src/chat/rules/conversation-id.ts'
import { deleteMessage } from '../../src/chat/messages/delete-message.ts'
import { editMessage } from '../../src/chat/messages/edit-message.ts'
import { prepareJoin } from '../../src/chat/rooms/join-room.ts'
import { markRead } from '../../src/chat/conversations/mark-read.ts'
import { removeMember, setMemberRole } from '../../src/chat/rooms/room-members.ts'
import { changeRoom, createRoom } from '../../src/chat/rooms/room.ts'
import { sendCommon } from '../../src/chat/messages/send-common.ts'
import { sendTo } from '../../src/chat/messages/send-to.ts'
import { sendRoom } from '../../src/chat/messages/send-room.ts'
import { SyncBody } from '../../src/schemas/sync.ts'
import { startApp } from '../helpers/app.ts'
import { apply, cursorsOf, nothing, shown } from '../helpers/follower.ts'
import { type TestPerson, catchUp, inAnswer, newPerson, syncOnce } from '../helpers/people.ts'
import { beforeScan, watchReads } from '../helpers/reads.ts'

const test = await startApp(t, { SEARCH: 'off' })
const { app, call } = test
const { chat } = app
const person = () => newPerson(test)
const sync = (who: TestPerson, body: object = {}) => syncOnce(test, who, body)
const direct = async (from: TestPerson, to: TestPerson, content: string) => (await sendTo(chat, from.identity, { receiverId: to.id, content })).message

/** A room of these, the first of whom owns it. */
async function roomOf (...people: TestPerson[]): Promise<{ roomId: string, id: string }> {
  const { roomId } = await createRoom(chat, people[0]!.identity, { name: 'Room', isPrivate: true })
  for (const { id } of people.slice(1)) await setMemberRole(chat, people[0]!.identity, roomId, id, 'member')
  return { roomId, id: roomConversationId(roomId) }
}

t.test('the first answer has the whole self log, and each conversation with its snapshot page', async t => {
  const [a, b] = [await person(), await person()]
  const { roomId, id: room } = await roomOf(a, b)
  await direct(b, a, 'hello')
  await sendRoom(chat, b.identity, { roomId, content: 'in the room' })
  const body = await sync(a)
  t.ok(Value.Check(SyncBody, body), 'is as the schema says')
  t.equal(body.hasMore, false)
  t.equal(body.conversations[0]?.conversationId, 'self', 'the own log comes first')
  t.match(inAnswer(body, 'self'), {
    kind: 'self', reset: true, changes: [{ kind: 'membership', conversationId: room, role: 'owner' }, { kind: 'membership', conversationId: directId(a.id, b.id), role: 'member', userId: a.id }]
  })
  t.match(inAnswer(body, room), { kind: 'room', reset: true, unreadCount: 1, changes: [{ kind: 'meta', name: 'Room', isPrivate: true }, { kind: 'message', message: { message: 'in the room' } }] })
  t.match(inAnswer(body, directId(a.id, b.id)), { kind: 'direct', reset: true, unreadCount: 1, changes: [{ kind: 'message', message: { message: 'hello', isRead: false } }] })
  t.match(await sync(a, { cursors: cursorsOf(apply(nothing, body)) }), { success: true, conversations: { length: 0 }, hasMore: false })
})

t.test('the next answer has what changed, and nothing else', async t => {
  const [a, b, c] = [await person(), await person(), await person()]
  const first = await direct(b, a, 'one')
  await direct(c, a, 'untouched')
  const state = await catchUp(test, a)
  await editMessage(chat, b.identity, { messageId: first._id, content: 'edited' })
  const second = await direct(a, b, 'two')
  await deleteMessage(chat, a.identity, { messageId: second._id })
  const body = await sync(a, { cursors: cursorsOf(state) })
  t.same(body.conversations.map(({ conversationId }) => conversationId), [directId(a.id, b.id)])
  t.match(body.conversations[0], {
    unreadCount: 1,
    changes: [{ rev: 2, kind: 'message', message: { message: 'edited', seq: 1 } }, { rev: 4, kind: 'message', message: { message: '', isDeleted: true, seq: 2 } }]
  })
  t.equal(body.conversations[0]?.reset, undefined)
})

t.test('without changes a sync reads no database', async t => {
  const [a, b] = [await person(), await person()]
  await direct(b, a, 'x')
  const cursors = cursorsOf(await catchUp(test, a))
  const used = watchReads(t, chat.log.collections)
  t.match(await sync(a, { cursors }), { conversations: { length: 0 } })
  // There is no common chat yet: that is asked for until it is known.
  await sync(a, { cursors })
  t.same(used.filter(name => name !== 'conversations'), [])
  t.ok(used.length <= 1)
})

t.test('tiny pages bring the same as one big page, and no limit is exceeded', async t => {
  const [a, b, c] = [await person(), await person(), await person()]
  const { roomId } = await roomOf(a, b)
  await Promise.all([direct(a, b, 'first'), direct(c, a, 'first')])
  const began = await catchUp(test, a)
  for (let index = 0; index < 12; index++) {
    const message = await direct(index % 2 === 0 ? a : b, index % 2 === 0 ? b : a, `n ${index}`)
    if (index % 3 === 0) await deleteMessage(chat, (index % 2 === 0 ? a : b).identity, { messageId: message._id })
    await direct(c, a, `c ${index}`)
    await sendRoom(chat, b.identity, { roomId, content: `r ${index}` })
  }
  await markRead(chat, a.identity, { conversationId: directId(a.id, b.id), seq: 5 })
  const big = await catchUp(test, a, began)
  const afresh = shown(await catchUp(test, a))
  for (const limit of [1, 2, 3, 7]) {
    t.same(shown(await catchUp(test, a, nothing, limit)), afresh, `from nothing, limit ${limit}`)
    t.same(shown(await catchUp(test, a, began, limit)), shown(big), `limit ${limit}`)
    const answer = await sync(a, { cursors: cursorsOf(began), limit })
    t.ok(answer.conversations.reduce((sum, { changes }) => sum + changes.length, 0) <= limit && answer.hasMore)
  }
})

t.test('an answer has at most 256 KiB, and the next one continues it', async t => {
  const [a, b] = [await person(), await person()]
  const began = await catchUp(test, a)
  const content = '€'.repeat(4_000)
  for (let index = 0; index < 45; index++) await direct(b, a, content)
  let cursors = cursorsOf(began)
  const seqs: number[] = []
  for (let more = true; more;) {
    const { text, body } = await call('POST', '/api/sync', { token: a.token, body: { cursors } })
    t.ok(Buffer.byteLength(text) <= 256 * 1024, `${Buffer.byteLength(text)} bytes`)
    for (const { conversationId, cursor, changes } of body.conversations) {
      cursors = { ...cursors, [conversationId]: cursor }
      for (const { message } of changes) if (message !== undefined) seqs.push(message.seq)
    }
    more = body.hasMore
  }
  t.same(seqs, Array.from({ length: 45 }, (_, index) => index + 1))
})

t.test('a conversation without a cursor comes with 50 messages, and the rest is history', async t => {
  const [a, b] = [await person(), await person()]
  for (let index = 0; index < 60; index++) await direct(b, a, `n ${index}`)
  const body = await sync(a)
  const seqs = inAnswer(body, directId(a.id, b.id))!.changes.map(change => change.kind === 'message' ? change.message.seq : 0)
  t.same(seqs, Array.from({ length: 50 }, (_, index) => index + 11))
  t.equal(inAnswer(body, directId(a.id, b.id))!.unreadCount, 60)
})

t.test('unread messages are counted to 1,000, and then the count is capped', async t => {
  const [a, b] = [await person(), await person()]
  await Promise.all(Array.from({ length: 1_002 }, async (_, index) => await direct(b, a, `n ${index}`)))
  const id = directId(a.id, b.id)
  t.match(inAnswer(await sync(a), id), { unreadCount: 1_000, unreadCountCapped: true })
  await markRead(chat, a.identity, { conversationId: id, seq: 2 })
  const exact = inAnswer(await sync(a), id)
  t.equal(exact?.unreadCount, 1_000)
  t.equal(exact?.unreadCountCapped, undefined)
})

t.test('read positions change in the conversation and in the self log', async t => {
  const [a, b] = [await person(), await person()]
  const id = directId(a.id, b.id)
  await direct(a, b, 'one')
  const [forA, forB] = [await catchUp(test, a), await catchUp(test, b)]
  await markRead(chat, b.identity, { conversationId: id, seq: 1 })
  const atA = await sync(a, { cursors: cursorsOf(forA) })
  t.match(inAnswer(atA, id), { changes: [], reads: [{ userId: b.id, seq: 1 }] })
  t.equal(inAnswer(atA, 'self'), undefined)
  t.match(inAnswer(await sync(b, { cursors: cursorsOf(forB) }), 'self'), { changes: [{ kind: 'read', conversationId: id, seq: 1 }] })
  t.match(shown(apply(forA, atA)).conversations[id]?.messages, [{ isRead: true }])
  t.same(shown(apply(forA, atA)), shown(await catchUp(test, a)))
})

t.test('the settings of a room come when they change', async t => {
  const [a, b] = [await person(), await person()]
  const { roomId, id } = await roomOf(a, b)
  const state = await catchUp(test, b)
  await changeRoom(chat, a.identity, roomId, { name: 'Other' })
  const body = await sync(b, { cursors: cursorsOf(state) })
  t.match(inAnswer(body, id)?.changes, [{ kind: 'meta', name: 'Other', isPrivate: true }])
  t.same(shown(apply(state, body)), shown(await catchUp(test, b)))
})

t.test('I4: a removed user learns so from the self log and gets nothing more; an invitation begins anew', async t => {
  const [a, b] = [await person(), await person()]
  const { roomId, id } = await roomOf(a, b)
  const state = await catchUp(test, b)
  await removeMember(chat, a.identity, roomId, b.id)
  await sendRoom(chat, a.identity, { roomId, content: 'behind your back' })
  const removed = await call('POST', '/api/sync', { token: b.token, body: { cursors: cursorsOf(state) } })
  t.notMatch(removed.text, /behind your back/)
  t.same(removed.body.conversations.map((one: { conversationId: string }) => one.conversationId), ['self'])
  t.match(inAnswer(removed.body, 'self')?.changes, [{ kind: 'membership', conversationId: id, userId: b.id, role: null }])
  const without = apply(state, removed.body)
  t.equal(without.conversations[id], undefined)
  t.match(await sync(b, { cursors: { ...cursorsOf(without), [id]: state.conversations[id]!.cursor } }), { conversations: [] }, 'the old cursor is ignored')

  await setMemberRole(chat, a.identity, roomId, b.id, 'member')
  const again = await sync(b, { cursors: cursorsOf(state) })
  t.match(inAnswer(again, id), { reset: true, changes: [{ kind: 'meta' }, { kind: 'message', message: { message: 'behind your back' } }] })
  t.same(shown(apply(state, again)), shown(await catchUp(test, b)))
})

t.test('I4: a removal between the heads and the scan takes the conversation out of the answer', async t => {
  const [a, b] = [await person(), await person()]
  const { roomId, id } = await roomOf(a, b)
  await sendRoom(chat, a.identity, { roomId, content: 'in time' })
  let removed = false
  beforeScan(t, chat.log.collections, id, async () => {
    await removeMember(chat, a.identity, roomId, b.id)
    await sendRoom(chat, a.identity, { roomId, content: 'too late for you' })
    removed = true
  })
  const { text } = await call('POST', '/api/sync', { token: b.token, body: {} })
  t.ok(removed)
  t.notMatch(text, /too late for you/)
  t.equal(inAnswer(JSON.parse(text), id), undefined)
})

t.test('a user who joins a room without history gets what came after', async t => {
  const [a, b] = [await person(), await person()]
  const { roomId, id } = await roomOf(a)
  await sendRoom(chat, a.identity, { roomId, content: 'before' })
  await changeRoom(chat, a.identity, roomId, { history: 'joined' })
  await setMemberRole(chat, a.identity, roomId, b.id, 'member')
  await sendRoom(chat, a.identity, { roomId, content: 'after' })
  const state = await catchUp(test, b)
  t.same(Object.values(state.conversations[id]!.messages).map(({ message }) => message), ['after'])
  t.equal(state.conversations[id]!.unreadCount, 1)
  await changeRoom(chat, a.identity, roomId, { history: 'all' })
  const wider = await sync(b, { cursors: cursorsOf(state) })
  t.equal(inAnswer(wider, id)?.reset, true, 'a wider view is a reset')
  t.same(Object.values(apply(state, wider).conversations[id]!.messages).map(({ message }) => message).sort(), ['after', 'before'])
})

t.test('users you blocked are not shown in rooms, and come back with a reset', async t => {
  const [a, b, c] = [await person(), await person(), await person()]
  const { roomId, id } = await roomOf(a, b, c)
  await sendRoom(chat, b.identity, { roomId, content: 'one' })
  let state = await catchUp(test, a)
  await setBlock(chat, a.identity, b.id, true)
  await sendRoom(chat, b.identity, { roomId, content: 'two' })
  await sendCommon(chat, b.identity, { content: 'to all' })
  await sendRoom(chat, c.identity, { roomId, content: 'three' })
  const body = await sync(a, { cursors: cursorsOf(state) })
  t.match(inAnswer(body, 'self')?.changes, [{ kind: 'block', userId: b.id, on: true }])
  t.match(inAnswer(body, id), { changes: [{ message: { message: 'three' } }], unreadCount: 1 })
  state = apply(state, body)
  t.same(shown(state), shown(await catchUp(test, a)))
  t.match(await sync(a, { cursors: cursorsOf(state) }), { conversations: [] }, 'the cursor has passed what is hidden')
  await setBlock(chat, a.identity, b.id, false)
  const unblocked = await sync(a, { cursors: cursorsOf(state) })
  t.match(inAnswer(unblocked, id), { reset: true, changes: [{ kind: 'meta' }, { message: { message: 'one' } }, { message: { message: 'two' } }, { message: { message: 'three' } }] })
  t.same(shown(await catchUp(test, a, state)), shown(await catchUp(test, a)))
})

t.test('after a block and after its end, a room counts its unread messages anew without a new message', async t => {
  const [a, b, c, d] = [await person(), await person(), await person(), await person()]
  const { roomId, id } = await roomOf(a, b, c, d)
  for (const who of [b, c, b]) await sendRoom(chat, who.identity, { roomId, content: 'x' })
  await direct(b, a, 'between two it counts as before')
  let state = await catchUp(test, a)
  t.equal(state.conversations[id]?.unreadCount, 3)
  const steps: Array<[TestPerson, boolean, number]> = [[b, true, 1], [d, true, 1], [c, true, 0], [b, false, 2], [b, true, 0], [c, false, 1], [d, false, 1]]
  for (const [other, on, unread] of steps) {
    await setBlock(chat, a.identity, other.id, on)
    const body = await sync(a, { cursors: cursorsOf(state) })
    t.same(body.conversations.flatMap(({ conversationId }) => conversationId === commonChatId ? [] : [conversationId]), ['self', id])
    t.match(inAnswer(body, id), { unreadCount: unread, reset: on ? undefined : true })
    for (const limit of [1, 500]) t.same(shown(await catchUp(test, a, state, limit)), shown(await catchUp(test, a)))
    state = apply(state, body)
    t.match(await sync(a, { cursors: cursorsOf(state) }), { conversations: { length: 0 }, hasMore: false }, 'once')
  }
})

t.test('everybody has the common chat', async t => {
  const [a, b] = [await person(), await person()]
  const state = await catchUp(test, a)
  await sendCommon(chat, b.identity, { content: 'good morning' })
  t.match(inAnswer(await sync(a, { cursors: cursorsOf(state) }), commonChatId), { kind: 'common', unreadCount: 0, reads: [], changes: [{ message: { message: 'good morning' } }] })
})

t.test('the answer to an invalid request says what is wrong', async t => {
  const { token } = await person()
  for (const [body, field] of [[{ limit: 0 }, 'limit'], [{ limit: 501 }, 'limit'], [{ waitMs: 25_001 }, 'waitMs'], [{ cursors: [] }, 'cursors'], [{ cursors: { a: 1 } }, 'cursors'], [[], 'body']] as const) {
    const answer = await call('POST', '/api/sync', { token, body })
    t.match(answer, { status: 400, body: { code: 'VALIDATION' } }, JSON.stringify(body))
    t.match(answer.body.message, field)
  }
  t.equal((await call('POST', '/api/sync', { body: {} })).status, 401)
  t.equal((await call('GET', '/api/sync/heads')).status, 401)
})

t.test('a page of history has the cursor for the next sync', async t => {
  const [a, b] = [await person(), await person()]
  const { roomId, id } = await roomOf(a, b)
  await sendRoom(chat, a.identity, { roomId, content: 'one' })
  const { body } = await call('GET', `/api/rooms/${roomId}/messages`, { token: b.token })
  await sendRoom(chat, a.identity, { roomId, content: 'two' })
  const cursors = { ...cursorsOf(await catchUp(test, b)), [id]: body.asOf.cursor }
  t.match(inAnswer(await sync(b, { cursors }), id), { reset: undefined, changes: [{ message: { message: 'two' } }] })
})

t.test('heads', async t => {
  const [a, b] = [await person(), await person()]
  await roomOf(a, b)
  const heads = async (etag?: string) => await call('GET', '/api/sync/heads', { token: a.token, headers: etag === undefined ? {} : { 'if-none-match': etag } })
    .catch((error: unknown) => { throw error instanceof Error ? error : new Error(String(error)) })

  await t.test('they are the cursors of a client that has everything', async t => {
    const { body } = await heads()
    t.same(body.heads, cursorsOf(await catchUp(test, a)))
  })

  await t.test('they are read again while the outcome of a commit is unknown', async t => {
    const { client } = test.app.mongo
    const etag = (await heads()).headers.get('etag')!
    t.equal((await heads(etag)).status, 304)
    const start = client.startSession.bind(client)
    client.startSession = options => {
      const session = start(options)
      const commit = session.commitTransaction.bind(session)
      session.commitTransaction = async () => {
        client.startSession = start
        await commit()
        throw new MongoNetworkTimeoutError('The reply is lost')
      }
      return session
    }
    await t.rejects(direct(b, a, 'stored'), { code: 'UNAVAILABLE' })
    t.equal((await heads(etag)).status, 200, 'the message is stored, and nothing here has counted it')
  })

  await t.test('they are answered 304 until one of them moves', async t => {
    const etag = (await heads()).headers.get('etag')!
    for (const sent of [etag, `W/${etag}`, `"x", ${etag}`, '*']) t.equal((await heads(sent)).status, 304, sent)
    t.equal((await heads('"x"')).status, 200)
    const stranger = await person()
    await roomOf(stranger)
    t.equal((await heads(etag)).status, 304, 'what moved is not the caller\'s')
    const moved = [
      async () => { await direct(b, a, 'x') },
      async () => { await markRead(chat, b.identity, { conversationId: directId(a.id, b.id), seq: 1 }).catch(() => {}); await direct(b, a, 'y') },
      async () => { await markRead(chat, a.identity, { conversationId: directId(a.id, b.id), seq: 1 }) },
      async () => { await (await prepareJoin(chat, a.identity, `public-${a.id}`))() },
      async () => { await setBlock(chat, a.identity, b.id, true) }
    ]
    let last = etag
    for (const move of moved) {
      await move()
      const { status, headers } = await heads(last)
      t.equal(status, 200)
      t.not(headers.get('etag'), last)
      last = headers.get('etag')!
    }
  })
})
