import t from 'tap'
import { deleteMessage } from '../../src/chat/messages/delete-message.ts'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { editMessage } from '../../src/chat/messages/edit-message.ts'
import { markRead } from '../../src/chat/conversations/mark-read.ts'
import { sendTo } from '../../src/chat/messages/send-to.ts'
import { seqOf } from '../../src/log/model/types.ts'
import { startApp } from '../helpers/app.ts'
import { type TestPerson, newPerson } from '../helpers/people.ts'
import { beforeScan } from '../helpers/reads.ts'

const test = await startApp(t, { SEARCH: 'off' })
const { chat } = test.app
const say = async (from: TestPerson, to: TestPerson, content: string) => (await sendTo(chat, from.identity, { receiverId: to.id, content })).message
const purge = async (conversationId: string, throughSeq: number) => await chat.log.commit({ mutations: [{ type: 'purge', conversationId, throughSeq: seqOf(throughSeq) }] })

/** What the sync of one conversation answers to a deployed client. */
async function legacy (who: TestPerson, other: TestPerson, body: object = {}) {
  const answer = await test.call('POST', '/api/messages/sync-conversation', { token: who.token, body: { otherUserId: other.id, ...body } })
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.body
}

t.test('a legacy client gets nothing purged, by time or cursor, and learns what is gone', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const id = directId(a.id, b.id)
  const first = await say(b, a, 'one')
  const before = await legacy(a, b)
  t.equal(before.purgedSeq, undefined)
  await say(b, a, 'two')
  await say(b, a, 'three')
  await editMessage(chat, b.identity, { messageId: first._id, content: 'one, again' })
  await purge(id, 2)
  const later = { purgedSeq: 2, count: 1, messages: [{ message: 'three' }], hasMore: false }
  for (const body of [{}, { includeDeleted: true }, { lastSyncTimestamp: before.syncTimestamp }, { cursor: before.cursor }]) {
    const answer = await legacy(a, b, body)
    t.match(answer, later, JSON.stringify(Object.keys(body)))
    t.equal(answer.reset, undefined)
  }
  const { syncTimestamp, cursor } = await legacy(a, b)
  t.match(await legacy(a, b, { lastSyncTimestamp: syncTimestamp }), { purgedSeq: 2, count: 0, hasMore: false, syncTimestamp })
  t.match(await legacy(a, b, { cursor }), { purgedSeq: 2, count: 0, hasMore: false, cursor })
})

t.test('pages of one row reach their end after a purge, by time and cursor, from any position', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const id = directId(a.id, b.id)
  const sent = []
  for (const content of ['one', 'two', 'three', 'four']) sent.push(await say(b, a, content))
  await deleteMessage(chat, b.identity, { messageId: sent[2]!._id })
  const cut = await legacy(a, b, { limit: 1 })
  await purge(id, 2)
  for (const start of [{}, { cursor: cut.cursor }, { lastSyncTimestamp: cut.syncTimestamp }]) {
    for (const by of ['cursor', 'lastSyncTimestamp'] as const) {
      if (Object.keys(start).some(key => key !== by)) continue
      const told: string[] = []
      let answer = await legacy(a, b, { limit: 1, ...start })
      for (let pages = 0; ; pages++) {
        if (pages === 9) return t.fail(`it goes on for ever by ${by}`)
        t.equal(answer.reset, undefined)
        told.push(...answer.messages.flatMap(({ message, isDeleted }: { message: string, isDeleted: boolean }) => isDeleted ? [] : [message]))
        if (answer.hasMore !== true) break
        answer = await legacy(a, b, { limit: 1, [by]: by === 'cursor' ? answer.cursor : answer.syncTimestamp })
      }
      t.same(told, ['four'], `by ${by} from ${JSON.stringify(Object.keys(start))}`)
    }
  }
})

t.test('your own messages that were read do not come again after they are purged', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const id = directId(a.id, b.id)
  for (const content of ['one', 'two', 'three']) await say(a, b, content)
  const { syncTimestamp } = await legacy(a, b)
  await markRead(chat, b.identity, { conversationId: id, seq: 3 })
  await purge(id, 2)
  t.match(await legacy(a, b, { lastSyncTimestamp: syncTimestamp }), { count: 1, messages: [{ message: 'three', isRead: true }] })
})

t.test('a purge between head and page of a legacy client\'s sync is in its answer', async t => {
  const [a, b] = [await newPerson(test), await newPerson(test)]
  const id = directId(a.id, b.id)
  for (const content of ['one', 'two', 'three']) await say(b, a, content)
  const { rows } = chat.log.collections
  beforeScan(t, chat.log.collections, id, async () => {
    await purge(id, 2)
    await rows.deleteMany({ conversationId: id, seq: { $lte: seqOf(2) } })
  })
  t.match(await legacy(a, b), { purgedSeq: 2, count: 1, messages: [{ message: 'three' }], hasMore: false })
})
