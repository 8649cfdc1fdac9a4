import { ObjectId } from 'mongodb'
import t from 'tap'
import { buildApp } from '../../../app.ts'
import { commonChatId, directId, roomConversationId } from '../../../src/chat/rules/conversation-id.ts'
import { deleteMessage } from '../../../src/chat/messages/delete-message.ts'
import { editMessage } from '../../../src/chat/messages/edit-message.ts'
import { readHistory, writeHistoryJson } from '../../../src/chat/messages/history.ts'
import { listDirect } from '../../../src/chat/conversations/list-conversations.ts'
import { markMessageRead, markRead } from '../../../src/chat/conversations/mark-read.ts'
import { setMemberRole } from '../../../src/chat/rooms/room-members.ts'
import { react } from '../../../src/chat/messages/react.ts'
import { sweepRetention } from '../../../src/chat/conversations/retention.ts'
import { createRoom } from '../../../src/chat/rooms/room.ts'
import { sendCommon } from '../../../src/chat/messages/send-common.ts'
import { sendTo } from '../../../src/chat/messages/send-to.ts'
import { sendRoom } from '../../../src/chat/messages/send-room.ts'
import { readUnreadCounts } from '../../../src/chat/conversations/unread.ts'
import { readConfig } from '../../../src/config.ts'
import { examine } from '../../../src/doctor/index.ts'
import { TidelogError } from '../../../src/errors.ts'
import { deletePurgedRows } from '../../../src/log/delete-purged.ts'
import type { ConversationLog } from '../../../src/log/conversation-log.ts'
import { seqOf } from '../../../src/log/model/types.ts'
import { searchMessages } from '../../../src/search/search-messages.ts'
import { startApp } from '../../helpers/app.ts'
import { cursorsOf, shown } from '../../helpers/follower.ts'
import { type TestPerson, catchUp, newPerson, syncOnce } from '../../helpers/people.ts'

const test = await startApp(t, { RATE_LIMIT_SENDS: '0' })
const { chat, mongo } = test.app
const { rows: log } = chat.log.collections
const dayMs = 86_400_000

const say = async (from: TestPerson, to: TestPerson, content: string, more: object = {}) =>
  (await sendTo(chat, from.identity, { receiverId: to.id, content, ...more })).message
const purge = async (conversationId: string, throughSeq: number) => await chat.log.commit({ mutations: [{ type: 'purge', conversationId, throughSeq: seqOf(throughSeq) }] })
const purged = async (conversationId: string) => (await chat.log.head(conversationId))?.purgedSeq

/** Makes messages up to a seq older by 40 days. */
async function age (rows: ConversationLog['collections']['rows'], conversationId: string, through: number): Promise<void> {
  for (const { _id, createdAt } of await rows.find({ conversationId, seq: { $lte: seqOf(through) } }).toArray()) {
    await rows.updateOne({ _id }, { $set: { createdAt: new Date(createdAt.getTime() - 40 * dayMs) } })
  }
}

const stored = async (conversationId: string) => (await log.find({ conversationId, seq: { $gte: seqOf(1) } }).sort({ seq: 1 }).toArray()).map(({ seq }) => seq)

t.test('a sweep purges old messages in every kind of conversation and deletes their rows', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const { roomId } = await createRoom(chat, a.identity, { name: 'Room', isPrivate: true })
  await setMemberRole(chat, a.identity, roomId, b.id, 'member')
  for (let number = 1; number <= 5; number++) {
    await say(a, b, `direct ${number}`)
    await sendRoom(chat, a.identity, { roomId, content: `room ${number}` })
    await sendCommon(chat, a.identity, { content: `common ${number}` })
  }
  const deleted = (await log.findOne({ conversationId: commonChatId, seq: seqOf(2) }))!
  await deleteMessage(chat, a.identity, { messageId: deleted._id.toHexString() })
  const ids = [directId(a.id, b.id), roomConversationId(roomId), commonChatId]
  for (const [index, id] of ids.entries()) await age(log, id, index + 2)
  const before = await catchUp(test, b)
  t.match(await sweepRetention(chat, { days: 50 }), { purged: 0, deletedRows: 0 })
  t.match(await sweepRetention(chat, { days: 30 }), { purged: 3, deletedRows: 9 })
  for (const [index, id] of ids.entries()) {
    t.equal(await purged(id), index + 2)
    t.same(await stored(id), [1, 2, 3, 4, 5].slice(index + 2))
  }
  t.equal(await log.findOne({ _id: deleted._id }), null, 'a tombstone goes too')
  const body = await syncOnce(test, b, { cursors: cursorsOf(before) })
  t.same(body.conversations.map(({ changes, reset }) => [changes.length, changes[0]?.kind, reset]), ids.map(() => [1, 'purge', undefined]))
  t.same(shown(await catchUp(test, b, before)), shown(await catchUp(test, b)))
  t.match(await sweepRetention(chat, { days: 30 }), { purged: 0, deletedRows: 0 }, 'and once only')
  await examine(mongo.client, mongo.db!, { repair: false, onDefect: defect => t.fail(JSON.stringify(defect)) })
})

t.test('if every message is too old, all are purged, and the next message continues the seqs', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const id = directId(a.id, b.id)
  for (const content of ['one', 'two', 'three']) await say(a, b, content)
  await markRead(chat, b.identity, { conversationId: id, seq: 1 })
  await age(log, id, 3)
  const before = await catchUp(test, b)
  t.equal(before.conversations[id]?.unreadCount, 2)
  await sweepRetention(chat, { days: 30 })
  t.same(await stored(id), [])
  t.same((await readUnreadCounts(chat, b.identity)).conversations, {})
  t.same((await listDirect(chat, b.identity, {})).conversations, [], 'there is no last message')
  const after = await catchUp(test, b, before)
  t.match(after.conversations[id], { unreadCount: 0, messages: {} })
  t.same(shown(after), shown(await catchUp(test, b)))
  t.match(await say(a, b, 'four'), { seq: 4 })
  t.match(await readUnreadCounts(chat, b.identity), { unreadCount: 1 })
  t.match((await listDirect(chat, b.identity, {})).conversations, [{ lastMessage: { seq: 4 }, unreadCount: 1 }])
  await markRead(chat, b.identity, { conversationId: id, seq: 4 })
  t.same(shown(await catchUp(test, b, after)), shown(await catchUp(test, b)))
})

t.test('no operation shows or changes a purged message, whether or not its row still exists', async t => {
  for (const collects of [false, true]) {
    const [a, b] = [await newPerson(test), await newPerson(test)]
    const id = directId(a.id, b.id)
    const gone = await say(a, b, 'needle one', { clientMessageId: 'c1' })
    await react(chat, b.identity, { messageId: gone._id, emoji: '👍', on: true })
    const reply = await say(b, a, 'needle two', { replyTo: gone._id })
    await purge(id, 1)
    if (collects) await deletePurgedRows(chat.log.collections, (await chat.log.head(id))!)
    t.match(JSON.parse(String(writeHistoryJson(await readHistory(chat, a.identity, id, {})))).messages, [{ _id: reply._id, replyTo: { _id: gone._id, seq: 1, senderId: a.id } }], 'a reply keeps the id that it names')
    t.same(JSON.parse(String(writeHistoryJson(await readHistory(chat, a.identity, id, { before: 2 })))).messages, [])
    const found = await searchMessages(test.app.messageSearch, a.identity, { q: 'needle' })
    t.same(found.messages.map(({ _id }) => _id), [reply._id])
    t.same((await listDirect(chat, a.identity, {})).conversations.map(({ lastMessage }) => lastMessage._id), [reply._id])
    t.match(await readUnreadCounts(chat, b.identity), { unreadCount: 0 })
    const attempts: Array<() => Promise<unknown>> = [
      () => editMessage(chat, a.identity, { messageId: gone._id, content: 'again' }),
      () => deleteMessage(chat, a.identity, { messageId: gone._id }),
      () => deleteMessage(chat, { ...a.identity, isAdmin: true }, { messageId: gone._id }),
      () => react(chat, b.identity, { messageId: gone._id, emoji: '👍', on: false }),
      () => markMessageRead(chat, b.identity, gone._id)
    ]
    for (const attempt of attempts) await t.rejects(attempt(), { code: 'NOT_FOUND' })
    await t.rejects(say(b, a, 'x', { replyTo: gone._id }), { code: 'VALIDATION' })
    t.match(await examine(mongo.client, mongo.db!, { repair: false, onDefect: defect => t.fail(JSON.stringify(defect)) }), { left: 0 })
  }
})

t.test('a change of a message that is purged meanwhile gets NOT_FOUND', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const { _id, conversationId } = await say(a, b, 'one')
  const change = { type: 'revise', conversationId, rowId: new ObjectId(_id), decide: () => ({ set: { message: 'two' } }) } as const
  const outcomes = await Promise.all([purge(conversationId, 1), chat.log.commit({ mutations: [change] })])
  t.same(outcomes.map(({ outcome }) => outcome), ['committed', 'missing'])
})

t.test('I5: a retry finds its message until the row is deleted; once purged it is answered as deleted', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const send = async (content: string) => await sendTo(chat, a.identity, { receiverId: b.id, content, clientMessageId: 'c1' })
  const { message } = await send('one')
  const id = directId(a.id, b.id)
  await purge(id, 1)
  t.match(await send('one'), { duplicate: true, message: { _id: message._id, isDeleted: true, message: '' } })
  await t.rejects(send('another'), { code: 'IDEMPOTENCY_MISMATCH' })
  await deletePurgedRows(chat.log.collections, (await chat.log.head(id))!)
  t.match(await send('one'), { duplicate: false, message: { seq: 2, message: 'one' } })
})

t.test('I5: a retry of a reply finds it although the message it replies to is purged', async t => {
  for (const collects of [false, true]) {
    const [a, b] = [await newPerson(test), await newPerson(test)]
    const id = directId(a.id, b.id)
    const gone = await say(b, a, 'one')
    const reply = { content: 'two', replyTo: gone._id, clientMessageId: 'c1' }
    const { _id } = await say(a, b, 'two', reply)
    await purge(id, 1)
    if (collects) await deletePurgedRows(chat.log.collections, (await chat.log.head(id))!)
    t.match(await sendTo(chat, a.identity, { receiverId: b.id, ...reply }), { duplicate: true, message: { _id, replyTo: { _id: gone._id, seq: 1, senderId: b.id } } })
    await t.rejects(sendTo(chat, a.identity, { receiverId: b.id, ...reply, content: 'three' }), { code: 'IDEMPOTENCY_MISMATCH' })
    await t.rejects(sendTo(chat, a.identity, { receiverId: b.id, ...reply, clientMessageId: 'c2' }), { code: 'VALIDATION' })
  }
})

t.test('an interrupted sweep is completed by the next, and concurrent sweeps do no harm', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const id = directId(a.id, b.id)
  for (let number = 1; number <= 30; number++) await say(a, b, `n ${number}`)
  await age(log, id, 20)
  await purge(id, 20)
  const stop = new AbortController()
  const deleteMany = log.deleteMany.bind(log)
  t.teardown(() => { log.deleteMany = deleteMany })
  log.deleteMany = (async (...given: Parameters<typeof deleteMany>) => {
    stop.abort()
    return await deleteMany(...given)
  }) as typeof deleteMany
  await deletePurgedRows(chat.log.collections, (await chat.log.head(id))!, { rowsAtOnce: 7, signal: stop.signal })
  log.deleteMany = deleteMany
  t.same(await stored(id), Array.from({ length: 23 }, (_, index) => index + 8))
  await age(log, id, 25)
  const swept = await Promise.all([1, 2, 3].map(() => sweepRetention(chat, { days: 30 })))
  t.equal(swept.reduce((sum, { purged }) => sum + purged, 0), 1)
  t.same(await stored(id), [26, 27, 28, 29, 30])
  t.equal(await purged(id), 25)
})

t.test('a purge that is refused for now does not stop those of other conversations', async t => {
  const [a, b, c] = [await newPerson(test), await newPerson(test), await newPerson(test)]
  const [first, second] = [directId(a.id, b.id), directId(a.id, c.id)].sort() as [string, string]
  for (const other of [b, c]) await say(a, other, 'old')
  for (const id of [first, second]) await age(log, id, 1)
  const commit = chat.log.commit.bind(chat.log)
  t.teardown(() => { chat.log.commit = commit })
  chat.log.commit = async unit => {
    if (unit.mutations[0]?.conversationId === first) throw new TidelogError('OVERLOADED')
    return await commit(unit)
  }
  t.match(await sweepRetention(chat, { days: 30 }), { purged: 1, deletedRows: 1, failed: 1 })
  chat.log.commit = commit
  t.match(await sweepRetention(chat, { days: 30 }), { purged: 1, deletedRows: 1, failed: 0 })
  t.same([await stored(first), await stored(second)], [[], []])
})

t.test('a server with RETENTION_DAYS sweeps at its start and tells its clients', async t => {
  const environment = { HOST: '127.0.0.1', PORT: '0', DATA_DIR: t.testdir(), LOG_LEVEL: 'silent' }
  const first = await buildApp(readConfig(environment))
  await first.ready()
  const { chat: { log: firstLog } } = first
  const [ada, bob] = [new ObjectId(), new ObjectId()]
  const id = directId(ada.toHexString(), bob.toHexString())
  for (const message of ['one', 'two', 'three']) {
    await firstLog.commit({
      mutations: [{
        type: 'append',
        conversationId: id,
        row: { _id: new ObjectId(), kind: 'message', senderId: ada, receiverId: bob, message },
        open: { kind: 'direct', members: [{ userId: ada, role: 'member' }, { userId: bob, role: 'member' }] }
      }]
    })
  }
  await age(firstLog.collections.rows, id, 2)
  await first.close()
  const second = await buildApp(readConfig({ ...environment, RETENTION_DAYS: '30' }))
  t.teardown(() => second.close())
  const told = new Promise(resolve => { second.chat.log.onCommitted(({ rows }) => { resolve(rows.map(({ row }) => [row.conversationId, row.kind, row.throughSeq])) }) })
  await second.ready()
  t.same(await told, [[id, 'purge', 2]])
})
