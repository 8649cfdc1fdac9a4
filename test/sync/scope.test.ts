import t from 'tap'
import { setBlock } from '../../src/chat/conversations/block-user.ts'
import { commonChatId, directId, roomConversationId } from '../../src/chat/rules/conversation-id.ts'
import { editMessage } from '../../src/chat/messages/edit-message.ts'
import { removeMember, setMemberRole } from '../../src/chat/rooms/room-members.ts'
import { createRoom } from '../../src/chat/rooms/room.ts'
import { sendCommon } from '../../src/chat/messages/send-common.ts'
import { sendTo } from '../../src/chat/messages/send-to.ts'
import { sendRoom } from '../../src/chat/messages/send-room.ts'
import type { SyncBody } from '../../src/schemas/sync.ts'
import { startApp } from '../helpers/app.ts'
import { type State, apply, cursorsOf, nothing } from '../helpers/follower.ts'
import { type TestPerson, catchUp, cursorsIn, inAnswer, newPerson, syncOnce } from '../helpers/people.ts'

/** Syncs that name what they want, and how conversations begin. */

const test = await startApp(t, { RATE_LIMIT_SENDS: '0' })
const { chat } = test.app
const person = () => newPerson(test)
const sync = (who: TestPerson, body: object = {}) => syncOnce(test, who, body)
const direct = async (from: TestPerson, to: TestPerson, content: string) => (await sendTo(chat, from.identity, { receiverId: to.id, content })).message
const ids = ({ conversations }: SyncBody) => conversations.map(({ conversationId }) => conversationId)
const seqs = (body: SyncBody, id: string) => inAnswer(body, id)?.changes.flatMap(change => change.kind === 'message' ? [change.message.seq] : [])

t.test('with `only`, a sync reads nothing but the named conversations and the self log', async t => {
  const [me, one, two] = [await person(), await person(), await person()]
  const [first, second] = [directId(me.id, one.id), directId(me.id, two.id)]
  await direct(one, me, 'n 1')
  await sendCommon(chat, one.identity, { content: 'to all' })
  const { self, ...held } = cursorsIn(await sync(me))
  await direct(one, me, 'n 2')
  await direct(two, me, 'n 1')
  t.same(ids(await sync(me, { only: true, cursors: { [first]: held[first], self } })), ['self', first])
  t.same(ids(await sync(me, { only: true, cursors: { self } })), ['self'], 'the own log tells of the new conversation')
  const begun = await sync(me, { only: true, cursors: { self: cursorsIn(await sync(me))['self'], [second]: null, [commonChatId]: held[commonChatId] } })
  t.same(ids(begun), [second], 'null begins a conversation')
  t.match(inAnswer(begun, second), { reset: true, fromSeq: 1 })
  t.same(ids(await sync(me, { only: true })), ['self'])
  t.match(await test.call('POST', '/api/sync', { token: me.token, body: { only: true, cursors: { [first]: 'forged' } } }), { status: 400, body: { code: 'BAD_CURSOR' } })
  t.same(ids(await sync(me, { only: true, cursors: { self: cursorsIn(await sync(me))['self'], [directId(one.id, two.id)]: null } })), [], 'what is another\'s is not there')
})

t.test('a conversation begins with the requested number of newest messages, and says from where it is complete', async t => {
  const [me, you] = [await person(), await person()]
  const id = directId(me.id, you.id)
  for (let seq = 1; seq <= 6; seq++) await direct(you, me, `n ${seq}`)
  t.match([await sync(me, { newest: 2 }), await sync(me, { newest: 0 }), await sync(me), await sync(me, { newest: 6 })].map(body => [seqs(body, id), inAnswer(body, id)?.fromSeq]), [
    [[5, 6], 5], [[], 7], [[1, 2, 3, 4, 5, 6], 1], [[1, 2, 3, 4, 5, 6], 1]
  ])
  for (const newest of [-1, 51, 'some', 1.5]) t.match(await test.call('POST', '/api/sync', { token: me.token, body: { newest } }), { status: 400 })
  const state = apply(nothing, await sync(me, { newest: 1, limit: 2 }))
  await editMessage(chat, you.identity, { messageId: (await sync(me)).conversations.flatMap(({ changes }) => changes).flatMap(change => change.kind === 'message' && change.message.seq === 2 ? [change.message._id] : [])[0]!, content: 'edited' })
  t.same(seqs(await sync(me, { cursors: cursorsOf(state) }), id), [2], 'what changes later comes, however old it is')
})

t.test('on a new device the most recently active conversations come first', async t => {
  const me = await person()
  const others = await Promise.all(Array.from({ length: 4 }, person))
  const firsts = []
  for (const other of others) firsts.push(await direct(other, me, 'hello'))
  await editMessage(chat, others[0]!.identity, { messageId: firsts[0]!._id, content: 'an edit is no activity' })
  const body = await sync(me, { newest: 1, limit: 6 })
  t.same(ids(body), ['self', ...others.map(({ id }) => directId(me.id, id)).reverse().slice(0, 2)])
  t.equal(body.hasMore, true)
})

t.test('newest: all brings every message from the first visible one, in pages that resume', async t => {
  const [me, you, late] = [await person(), await person(), await person()]
  const { roomId } = await createRoom(chat, you.identity, { name: 'Room', isPrivate: true, history: 'joined' })
  const id = roomConversationId(roomId)
  await setMemberRole(chat, you.identity, roomId, me.id, 'member')
  const sent = []
  for (let seq = 1; seq <= 12; seq++) {
    if (seq === 9) await setMemberRole(chat, you.identity, roomId, late.id, 'member')
    sent.push((await sendRoom(chat, you.identity, { roomId, content: `n ${seq}` })).message)
  }
  for (const seq of [2, 7]) await editMessage(chat, you.identity, { messageId: sent[seq - 1]!._id, content: 'edited' })
  const replicate = async (who: TestPerson, limit: number) => {
    let state: State = nothing
    const froms: Array<number | undefined> = []
    for (let pages = 0; ; pages++) {
      const body = await sync(who, { newest: 'all', limit, cursors: cursorsOf(state) })
      const one = inAnswer(body, id)
      if (one !== undefined) froms.push(one.fromSeq)
      state = apply(state, body)
      if (!body.hasMore) return { held: state.conversations[id]!, froms: froms.filter(from => from !== undefined), pages }
    }
  }
  for (const limit of [1, 2, 5, 500]) {
    const { held, froms, pages } = await replicate(me, limit)
    t.same(Object.values(held.messages).map(({ seq, message }) => [seq, message]).sort(([a], [b]) => Number(a) - Number(b)), sent.map(({ seq }) => [seq, seq === 2 || seq === 7 ? 'edited' : `n ${seq}`]))
    t.same([froms, held.meta?.name], [[1], 'Room'])
    if (limit < 5) t.ok(pages > 3)
  }
  const { held, froms } = await replicate(late, 3)
  t.same([Object.values(held.messages).map(({ seq }) => seq).sort((a, b) => a - b), froms], [[7, 9, 10, 11, 12].filter(seq => seq >= 9), [9]], 'nothing from before they came')
  await setBlock(chat, me.identity, late.id, true)
  await removeMember(chat, you.identity, roomId, late.id)
  t.equal((await catchUp(test, late)).conversations[id], undefined)
})
