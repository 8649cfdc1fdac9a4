import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { commonChatId, directId } from '../../../src/chat/rules/conversation-id.ts'
import { SettingsBody } from '../../../src/schemas/conversation.ts'
import { SyncBody } from '../../../src/schemas/sync.ts'
import { startApp } from '../../helpers/app.ts'
import { connect, connectLive } from '../../helpers/sockets.ts'

const { url, register, as } = await startApp(t, { RATE_LIMIT_SENDS: '0' })
type User = Awaited<ReturnType<typeof register>>
let made = 0
const someone = async () => await register(`person_${made++}`)
const say = async (from: User, conversationId: string, content = 'hello') => (await as(from)('POST', '/messages', { conversationId, content })).body.message
const set = async (user: User, conversationId: string, body: object) => await as(user)('PATCH', `/conversations/${conversationId}`, body)
const seqs = async (user: User, conversationId: string) => (await as(user)('GET', `/conversations/${conversationId}/messages`)).body.messages.map(({ seq }: { seq: number }) => seq)
const ids = async (user: User, query = '') => (await as(user)('GET', `/conversations${query}`)).body.conversations.map(({ conversationId }: { conversationId: string }) => conversationId)
const plain = { mutedUntil: null, notify: 'all', archived: false, pinnedAt: null, markedUnread: false, clearedSeq: 0, hiddenSeqs: [] }

t.test('settings are set one by one, and every device gets all of them', async t => {
  const [me, you] = [await someone(), await someone()]
  const id = directId(me.id, you.id)
  await say(you, id)
  t.same((await as(me)('GET', `/conversations/${id}`)).body.conversation.settings, plain)
  const phone = await connectLive(t, url, me.token)
  const mutedUntil = '2099-01-01T00:00:00.000Z'
  const { status, body } = await set(me, id, { mutedUntil, notify: 'mentions' })
  t.equal(status, 200)
  t.ok(Value.Check(SettingsBody, body))
  t.same(body.conversation.settings, { ...plain, mutedUntil, notify: 'mentions' })
  const { change } = await phone.wait('conversationChanged')
  const { rev, kind, conversationId, ...told } = change as Record<string, unknown>
  t.same([kind, conversationId, told], ['settings', id, { ...plain, mutedUntil, notify: 'mentions' }])
  t.match((await set(me, id, { archived: true })).body.conversation.settings, { mutedUntil, archived: true }, 'the others stay')
  const before = (await as(me)('POST', '/sync', {})).body
  t.ok(Value.Check(SyncBody, before))
  t.match((await set(me, id, { archived: true })).body.conversation.settings, { archived: true })
  t.equal((await as(me)('POST', '/sync', {})).body.conversations[0].rev, before.conversations[0].rev, 'what is so already takes no rev')
  t.match((await set(me, id, { mutedUntil: null, notify: 'all', archived: false })).body.conversation.settings, plain)
  t.match((await as(you)('GET', `/conversations/${id}`)).body.conversation.settings, plain, 'nobody else has them')
})

t.test('REST, socket and push answer with the same rev, that of the change in the self log', async t => {
  const [me, you] = [await someone(), await someone()]
  const id = directId(me.id, you.id)
  await say(you, id)
  const phone = await connectLive(t, url, me.token)
  const operation = (notify: string) => ({ operations: [{ opId: '1', type: 'settings', conversationId: id, notify }] })
  t.equal((await set(me, id, { notify: 'all' })).body.rev, 0, 'nothing was ever changed')
  const byRest = await set(me, id, { notify: 'none' })
  const bySocket = await phone.ask('push', operation('mentions'))
  const byPush = (await as(me)('POST', '/sync/push', operation('all'))).body
  const again = (await as(me)('POST', '/sync/push', operation('all'))).body
  const revs = [byRest.body.rev, bySocket.results[0].rev, byPush.results[0].rev]
  await phone.wait('conversationChanged', ({ rev }) => rev === revs[2])
  t.same(phone.all('conversationChanged').map(({ rev }) => rev), revs)
  t.equal(again.results[0].rev, revs[2], 'repeating it takes no rev')
  t.equal((await set(me, id, { notify: 'all' })).body.rev, revs[2])
})

t.test('pinned conversations come first, also over pages, and archived ones are listed on request', async t => {
  const me = await someone()
  const all = await Promise.all(Array.from({ length: 4 }, async () => directId(me.id, (await someone()).id)))
  for (const id of all) await say(me, id)
  await set(me, all[0]!, { pinned: true })
  await set(me, all[1]!, { pinned: true })
  await set(me, all[2]!, { archived: true })
  t.same(await ids(me), [all[1], all[0], all[3], all[2]])
  t.same(await ids(me, '?archived=true'), [all[2]])
  t.same(await ids(me, '?archived=false'), [all[1], all[0], all[3]])
  const { body: { next } } = await as(me)('GET', '/conversations?limit=1')
  t.same(await ids(me, `?after=${encodeURIComponent(next)}`), [all[0], all[3], all[2]])
  await set(me, all[1]!, { pinned: false })
  t.same(await ids(me), [all[0], all[3], all[2], all[1]])
})

t.test('cleared and hidden messages are no longer shown to that user, but to everybody else', async t => {
  const [me, you] = [await someone(), await someone()]
  const id = directId(me.id, you.id)
  const sent = []
  for (let seq = 1; seq <= 6; seq++) sent.push(await say(you, id, `needle ${seq}`))
  const { body: synced } = await as(me)('POST', '/sync', {})
  const cursors = Object.fromEntries(synced.conversations.map((one: { conversationId: string, cursor: string }) => [one.conversationId, one.cursor]))
  t.match((await set(me, id, { clearThroughSeq: 2, hideSeqs: [4, 6, 1, 4] })).body.conversation, {
    unreadCount: 2, lastMessage: { seq: 5 }, settings: { clearedSeq: 2, hiddenSeqs: [4, 6] }
  })
  t.same([await seqs(me, id), await seqs(you, id)], [[3, 5], [1, 2, 3, 4, 5, 6]])
  t.match((await set(me, id, { clearThroughSeq: 1 })).body.conversation.settings, { clearedSeq: 2 }, 'clearing never goes back')
  t.equal((await as(me)('GET', `/conversations/${id}/messages/${sent[3]._id}`)).status, 404)
  t.equal((await as(me)('PUT', `/messages/${sent[3]._id}/reactions/%F0%9F%91%8D`)).status, 404)
  t.same((await as(me)('GET', '/messages/search?q=needle')).body.messages.map(({ seq }: { seq: number }) => seq).sort(), [3, 5])
  t.same((await as(me)('POST', '/messages/sync-conversation', { otherUserId: you.id })).body.messages.map(({ seq }: { seq: number }) => seq), [3, 5])
  t.equal((await as(me)('GET', '/messages/unread-count')).body.conversations[id], 2)
  await as(you)('PUT', `/messages/${sent[3]._id}`, { content: 'edited' })
  await as(you)('PUT', `/messages/${sent[4]._id}`, { content: 'edited too' })
  const { body } = await as(me)('POST', '/sync', { cursors })
  t.match(body.conversations, [{ conversationId: 'self', changes: [{ kind: 'settings', clearedSeq: 2, hiddenSeqs: [4, 6] }] }, { conversationId: id, unreadCount: 2, changes: [{ message: { seq: 5 } }] }])
  t.equal(body.conversations[1].reset, undefined, 'showing less is no reason for a reset')
  const fresh = (await as(me)('POST', '/sync', { only: true, newest: 'all', cursors: { [id]: null } })).body.conversations[1]
  t.same([fresh.fromSeq, fresh.changes.map(({ message }: { message: { seq: number } }) => message.seq).sort()], [3, [3, 5]])
  t.match(await set(me, id, { hideSeqs: Array.from({ length: 501 }, (_, index) => index + 1) }), { status: 400 })
})

t.test('live, a change of a hidden or cleared message is a noop', async t => {
  const [me, you] = [await someone(), await someone()]
  const { body: { room: { roomId, conversationId: room } } } = await as(you)('POST', '/rooms', { name: 'A room' })
  await as(you)('PUT', `/rooms/${roomId}/members/${me.id}`, {})
  const [mine, theirs] = [await connect(t, url, me.token), await connect(t, url, you.token)]
  for (const socket of [mine, theirs]) await socket.ask('setupUser', { live: true })
  for (const id of [directId(me.id, you.id), room]) {
    const [cleared, hidden, shown] = [await say(you, id), await say(you, id), await say(you, id)]
    await set(me, id, { clearThroughSeq: cleared.seq, hideSeqs: [hidden.seq] })
    const revs: number[] = []
    for (const { _id } of [cleared, hidden, shown]) revs.push((await as(you)('PUT', `/messages/${_id}`, { content: 'edited' })).body.rev)
    t.match(await mine.wait('messageChanged', ({ conversationId }: { conversationId: string }) => conversationId === id), { _id: shown._id, rev: revs[2] })
    t.same(mine.all('noop').filter(({ conversationId }) => conversationId === id).map(({ rev }) => rev as number), revs.slice(0, 2))
    await theirs.wait('messageChanged', ({ rev, conversationId }: { rev: number, conversationId: string }) => conversationId === id && rev === revs[2])
    t.equal(theirs.all('messageChanged').filter(({ conversationId }) => conversationId === id).length, 3, 'the others see them')
  }
})

t.test('reading ends the mark as unread, even if nothing is new', async t => {
  const [me, you] = [await someone(), await someone()]
  const id = directId(me.id, you.id)
  const { seq } = await say(you, id)
  await as(me)('PATCH', `/conversations/${id}/read`, { seq })
  t.match((await set(me, id, { markedUnread: true })).body.conversation, { settings: { markedUnread: true }, unreadCount: 0 })
  await as(me)('PATCH', `/conversations/${id}/read`, { seq })
  t.match((await as(me)('GET', `/conversations/${id}`)).body.conversation.settings, { markedUnread: false })
})

t.test('messages that a member hid stay hidden after leaving and returning', async t => {
  const [me, you] = [await someone(), await someone()]
  const { body: { room: { roomId, conversationId } } } = await as(you)('POST', '/rooms', { name: 'A room' })
  await as(me)('PUT', `/rooms/${roomId}/members/me`, {})
  for (let seq = 1; seq <= 3; seq++) await say(you, conversationId)
  await set(me, conversationId, { hideSeqs: [2], clearThroughSeq: 1 })
  await as(me)('DELETE', `/rooms/${roomId}/members/me`)
  t.equal((await set(me, conversationId, { archived: true })).status, 403)
  await as(me)('PUT', `/rooms/${roomId}/members/me`, {})
  t.same(await seqs(me, conversationId), [3])
})

t.test('a push sets settings too, and only your own', async t => {
  const [me, you, stranger] = [await someone(), await someone(), await someone()]
  const id = directId(me.id, you.id)
  await say(you, id)
  const { body } = await as(me)('POST', '/sync/push', {
    operations: [
      { opId: '1', type: 'settings', conversationId: id, pinned: true, hideSeqs: [1] },
      { opId: '2', type: 'settings', conversationId: directId(you.id, stranger.id), pinned: true },
      { opId: '3', type: 'settings', conversationId: id, notify: 'sometimes' }
    ]
  })
  t.match(body.results, [
    { opId: '1', success: true, conversationId: id, settings: { pinnedAt: String, hiddenSeqs: [1] } }, { opId: '2', success: false, code: 'NOT_FOUND' }, { opId: '3', success: false, code: 'VALIDATION' }
  ])
  t.equal((await set(stranger, id, { pinned: true })).status, 404)
  await say(you, commonChatId)
  t.match((await set(me, commonChatId, { pinned: true, notify: 'none' })).body.conversation.settings, { notify: 'none', pinnedAt: String })
  for (const body of [{ clearThroughSeq: 1 }, { hideSeqs: [1] }, { markedUnread: true }]) t.match(await set(me, commonChatId, body), { status: 403, body: { code: 'NOT_ALLOWED' } })
})
