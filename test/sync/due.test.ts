import t from 'tap'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { sendTo } from '../../src/chat/messages/send-to.ts'
import { CursorCodec } from '../../src/log/read/cursor.ts'
import { readDatabaseIdentity } from '../../src/log/database-identity.ts'
import { revOf, selfLogId, seqOf } from '../../src/log/model/types.ts'
import { startApp } from '../helpers/app.ts'
import { cursorsOf } from '../helpers/follower.ts'
import { type TestPerson, catchUp, inAnswer, newPerson, syncOnce } from '../helpers/people.ts'

/** What becomes of the cursors that a client sends. */

const test = await startApp(t)
const { app, call } = test
const { chat } = app
const person = () => newPerson(test)
const sync = (who: TestPerson, body: object = {}) => syncOnce(test, who, body)
const direct = async (from: TestPerson, to: TestPerson, content: string) => (await sendTo(chat, from.identity, { receiverId: to.id, content })).message

t.test('a cursor that can no longer be resumed gets a reset', async t => {
  const [a, b] = [await person(), await person()]
  const id = directId(a.id, b.id)
  for (let index = 0; index < 4; index++) await direct(b, a, `n ${index}`)
  const state = await catchUp(test, a)
  const { cursorKey, epoch } = await readDatabaseIdentity(app.mongo.db!)
  const here = { rev: revOf(2), clock: 0, generation: 0 }
  const withCursor = async (cursor: string) => inAnswer(await sync(a, { cursors: { ...cursorsOf(state), [id]: cursor } }), id)
  t.match(await withCursor(new CursorCodec(cursorKey, epoch).encode(a.id, id, here)), { reset: undefined, changes: { length: 2 } }, 'the same key and epoch')
  t.match(await withCursor(new CursorCodec(cursorKey, (epoch + 1) >>> 0).encode(a.id, id, here)), { reset: true, changes: { length: 4 } }, 'another epoch')
  t.match(await withCursor(chat.log.cursors.encode(a.id, id, { ...here, rev: revOf(99) })), { reset: true }, 'ahead of the head')
  t.match(await withCursor(chat.log.cursors.encode(a.id, id, { ...here, generation: 1 })), { reset: true }, 'another view')
  await chat.log.commit({ mutations: [{ type: 'purge', conversationId: id, throughSeq: seqOf(2) }] })
  t.match(await withCursor(chat.log.cursors.encode(a.id, id, here)), { reset: undefined, changes: [{ rev: 3 }, { rev: 4 }, { rev: 5, kind: 'purge', throughSeq: 2 }] }, 'a purge says by itself what is gone')
  const own = await sync(a, { cursors: { ...cursorsOf(state), self: chat.log.cursors.encode(a.id, selfLogId(a.id), { ...here, rev: revOf(99) }) } })
  t.match(inAnswer(own, 'self'), { reset: true, changes: [{ kind: 'membership', conversationId: id }] })
})

t.test('a malformed or foreign cursor is refused', async t => {
  const [a, b, c] = [await person(), await person(), await person()]
  await direct(a, b, 'x')
  await direct(a, c, 'y')
  const mine = cursorsOf(await catchUp(test, a))
  const theirs = cursorsOf(await catchUp(test, b))
  const [ab, ac] = [directId(a.id, b.id), directId(a.id, c.id)]
  for (const [name, cursors] of Object.entries({
    'no cursor at all': { [ab]: 'x' },
    empty: { [ab]: '' },
    'another user\'s': { [ab]: theirs[ab] },
    'another conversation\'s': { [ab]: mine[ac] },
    'one letter changed': { [ab]: `${mine[ab]!.slice(0, -1)}${mine[ab]!.endsWith('A') ? 'B' : 'A'}` },
    'of a conversation that is not the caller\'s': { [directId(b.id, c.id)]: mine[ab] },
    'of nothing': { nothing: mine[ab] },
    'the own log\'s by another name': { [selfLogId(a.id)]: mine[ab] }
  })) t.match(await call('POST', '/api/sync', { token: a.token, body: { cursors } }), { status: 400, body: { code: 'BAD_CURSOR' } }, name)
})
