import t from 'tap'
import { commonChatId, directId } from '../../src/chat/rules/conversation-id.ts'
import { editMessage } from '../../src/chat/messages/edit-message.ts'
import { sendTo } from '../../src/chat/messages/send-to.ts'
import { CursorCodec } from '../../src/log/read/cursor.ts'
import { readDatabaseIdentity } from '../../src/log/database-identity.ts'
import { revOf, selfLogId, seqOf } from '../../src/log/model/types.ts'
import { startApp } from '../helpers/app.ts'
import { holdCommit } from '../helpers/commits.ts'
import { cursorsIn, inAnswer, newPerson, syncOnce } from '../helpers/people.ts'
import { beforeScan } from '../helpers/reads.ts'

const test = await startApp(t, { SEARCH: 'off' })
const { chat, mongo } = test.app

t.test('I3: a message that moves beyond the head during the scan is not missed', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const { message } = await sendTo(chat, b.identity, { receiverId: a.id, content: 'one' })
  beforeScan(t, chat.log.collections, directId(a.id, b.id), async () => await editMessage(chat, b.identity, { messageId: message._id, content: 'two' }))
  const first = await syncOnce(test, a, {})
  const id = directId(a.id, b.id)
  t.match(inAnswer(first, id), { changes: { length: 0 }, rev: 1, hasMore: true })
  t.equal(first.hasMore, true)
  const cursors = cursorsIn(first)
  t.match((await syncOnce(test, a, { cursors })).conversations, [{ conversationId: id, changes: [{ rev: 2, message: { message: 'two' } }], hasMore: false }])
})

t.test('I3: a message that moves beyond a page that is full up to the head is not missed', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const id = directId(a.id, b.id)
  const { message } = await sendTo(chat, b.identity, { receiverId: a.id, content: 'one' })
  const cursors = cursorsIn(await syncOnce(test, a, {}))
  await editMessage(chat, b.identity, { messageId: message._id, content: 'two' })
  await sendTo(chat, b.identity, { receiverId: a.id, content: 'last' })
  beforeScan(t, chat.log.collections, id, async () => await editMessage(chat, b.identity, { messageId: message._id, content: 'three' }))
  const full = await syncOnce(test, a, { cursors, limit: 1 })
  t.match(full, { conversations: [{ conversationId: id, changes: [{ rev: 3 }], rev: 3, hasMore: true }], hasMore: true })
  t.match((await syncOnce(test, a, { cursors: { ...cursors, [id]: full.conversations[0]!.cursor } })).conversations, [{ conversationId: id, changes: [{ rev: 4, message: { message: 'three' } }], hasMore: false }])
})

t.test('a page that is full up to the head is the last one if nothing came meanwhile', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const { message } = await sendTo(chat, b.identity, { receiverId: a.id, content: 'one' })
  const cursors = cursorsIn(await syncOnce(test, a, {}))
  await editMessage(chat, b.identity, { messageId: message._id, content: 'two' })
  t.match(await syncOnce(test, a, { cursors, limit: 1 }), { conversations: [{ changes: [{ rev: 2 }], hasMore: false }], hasMore: false })
})

t.test('I3: after hasMore there is more, even if the commit is not acknowledged yet', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const id = directId(a.id, b.id)
  const { message } = await sendTo(chat, b.identity, { receiverId: a.id, content: 'one' })
  const commit = holdCommit(t, mongo.client)
  const edited = editMessage(chat, b.identity, { messageId: message._id, content: 'two' })
  await commit.isApplied
  const waits = new Promise<string>(resolve => {
    const settled = chat.log.pendingCommit.bind(chat.log)
    t.teardown(() => { chat.log.pendingCommit = settled })
    chat.log.pendingCommit = async conversationId => {
      resolve('waits')
      await settled(conversationId)
    }
  })
  const first = syncOnce(test, a, {})
  t.equal(await Promise.race([first.then(() => 'answered'), waits]), 'waits')
  commit.acknowledge()
  await edited
  const { conversations, hasMore } = await first
  t.equal(hasMore, true)
  const cursors = cursorsIn({ conversations })
  t.match((await syncOnce(test, a, { cursors })).conversations, [{ conversationId: id, changes: [{ rev: 2, message: { message: 'two' } }], hasMore: false }])
})

t.test('a snapshot page that begins below a purge reaches its end one change at a time', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const id = directId(a.id, b.id)
  for (const content of ['one', 'two', 'three']) await sendTo(chat, b.identity, { receiverId: a.id, content })
  await chat.log.commit({ mutations: [{ type: 'purge', conversationId: id, throughSeq: seqOf(1) }] })
  const cursors: Record<string, string> = {}
  const told: unknown[] = []
  for (let answers = 0, more = true; more; answers++) {
    if (answers === 8) return t.fail('it goes on for ever')
    const { conversations, hasMore } = await syncOnce(test, a, { cursors, limit: 1 })
    for (const { conversationId, cursor, changes } of conversations) {
      cursors[conversationId] = cursor
      if (conversationId === id) told.push(...changes)
    }
    more = hasMore
  }
  t.match(told, [{ rev: 2, message: { message: 'two' } }, { rev: 3, message: { message: 'three' } }])
})

t.test('a conversation that a restored database lacks is reset to nothing, once', async t => {
  const a = await newPerson(test)
  const { cursorKey, epoch } = await readDatabaseIdentity(mongo.db!)
  const before = new CursorCodec(cursorKey, (epoch + 1) >>> 0)
  const here = { rev: revOf(7), clock: 7, generation: 0 }
  const { conversations } = await syncOnce(test, a, { cursors: { self: before.encode(a.id, selfLogId(a.id), here), [commonChatId]: before.encode(a.id, commonChatId, here) } })
  t.match(conversations, [{ conversationId: 'self', kind: 'self', reset: true, changes: { length: 0 } }, { conversationId: commonChatId, kind: 'common', reset: true, changes: { length: 0 } }])
  const cursors = cursorsIn({ conversations })
  t.match(await syncOnce(test, a, { cursors }), { conversations: { length: 0 }, hasMore: false })
})
