import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { ConversationListBody } from '../../../src/schemas/conversation.ts'
import { RoomBody } from '../../../src/schemas/room.ts'
import { SyncBody } from '../../../src/schemas/sync.ts'
import { startApp } from '../../helpers/app.ts'
import { connectLive } from '../../helpers/sockets.ts'

const { url, register, as } = await startApp(t)
const [ann, bob] = [await register('ann'), await register('bob')]
type User = typeof ann

const about = {
  topic: 'Everything about ☕', description: 'First line\n\tand a second', picture: 'https://example.org/a.png'
}
const nothing = { topic: null, description: null, picture: null }
const open = async (body: object) => (await as(ann)('POST', '/rooms', { name: 'room', ...body })).body.room

t.test('topic, description and picture are set at creation and changed one by one; null removes one', async t => {
  t.match(await open({}), nothing)
  t.match(await open(nothing), nothing)
  const made = await as(ann)('POST', '/rooms', { name: 'room', ...about })
  t.ok(Value.Check(RoomBody, made.body))
  const { roomId, conversationId } = made.body.room
  t.match(made.body.room, about)
  t.match((await as(bob)('GET', `/rooms/${roomId}`)).body.room, about, 'of a public room everybody sees them')
  const change = async (body: object) => (await as(ann)('PATCH', `/rooms/${roomId}`, body)).body.room
  t.match(await change({ topic: 'Tea' }), { ...about, topic: 'Tea' })
  t.match(await change({ topic: null, picture: null }), { ...nothing, description: about.description })
  const listed = await as(ann)('GET', '/conversations?kind=room')
  t.ok(Value.Check(ConversationListBody, listed.body))
  const isIt = (each: { conversationId: string }) => each.conversationId === conversationId
  t.match(listed.body.conversations.find(isIt), { name: 'room', topic: null, picture: null })
})

t.test('a change of them is a change of the room, live and in every sync', async t => {
  const { roomId, conversationId } = await open({ topic: 'before' })
  const phone = await connectLive(t, url, ann.token)
  const synced = async (user: User, cursors = {}) => {
    const { body } = await as(user)('POST', '/sync', { cursors })
    t.ok(Value.Check(SyncBody, body))
    return body.conversations.find((each: { conversationId: string }) => each.conversationId === conversationId)
  }
  const before = await synced(ann)
  t.match(before.changes, [{ kind: 'meta', name: 'room', topic: 'before' }], 'who begins gets them')
  await as(ann)('PATCH', `/rooms/${roomId}`, about)
  const { change, rev } = await phone.wait('conversationChanged', payload => payload.conversationId === conversationId)
  t.match(change, { kind: 'meta', name: 'room', ...about })
  const after = await synced(ann, { [conversationId]: before.cursor })
  t.same(after.changes, [change])
  for (const same of [about, { topic: about.topic }, { name: 'room' }]) await as(ann)('PATCH', `/rooms/${roomId}`, same)
  t.equal((await synced(ann)).rev, rev, 'what is so already takes no rev')
  const { roomId: bare } = await open({})
  const revNow = async () => (await as(ann)('GET', `/conversations/room_${bare}`)).body.conversation.rev
  const held = await revNow()
  await as(ann)('PATCH', `/rooms/${bare}`, nothing)
  t.equal(await revNow(), held, 'nor does removing nothing')
})

t.test('invisible and overlong texts are refused, and so are users without the right', async t => {
  const { roomId } = await open({})
  const wrong = [
    { topic: '' }, { topic: '\u200b' }, { topic: 'two\nlines' }, { topic: 'x'.repeat(201) }, { topic: 7 },
    { description: ' \n ' }, { description: 'a\u0007b' }, { description: 'x'.repeat(1_001) },
    { picture: 'javascript:alert(1)' }, { picture: 'https://example.org/a b' }
  ]
  for (const body of wrong) {
    const [field] = Object.keys(body)
    const refused = { status: 400, body: { code: 'VALIDATION', message: new RegExp(`^${field} `) } }
    t.match(await as(ann)('PATCH', `/rooms/${roomId}`, body), refused)
    t.match(await as(ann)('POST', '/rooms', { name: 'room', ...body }), refused)
  }
  await as(bob)('PUT', `/rooms/${roomId}/members/me`)
  t.match(await as(bob)('PATCH', `/rooms/${roomId}`, { topic: 'mine' }), { status: 403, body: { code: 'NOT_ALLOWED' } })
})
