import { ObjectId } from 'mongodb'
import t from 'tap'
import { eraseFromConversations } from '../../src/chat/erasure.ts'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { examine } from '../../src/doctor/index.ts'
import { indexNames } from '../../src/log/model/collections.ts'
import type { DirectMessage } from '../../src/schemas/message.ts'
import { contentOf, uploaded } from '../helpers/files.ts'
import { LiveClient } from '../helpers/live-client.ts'
import { catchUp, newPerson } from '../helpers/people.ts'
import { startRooms } from '../helpers/rooms.ts'
import { connect } from '../helpers/sockets.ts'

const rooms = await startRooms(t)
const { app, call, url, make, invite, say, as, ann } = rooms

/** Erases an account over REST, and waits until its messages are deleted. */
async function erase ({ token }: { token: string }): Promise<void> {
  const answer = await call('DELETE', '/api/users/me', { token, body: { password: 'password-1' } })
  t.equal(answer.status, 200)
  await app.continueErasures()
}

const send = async ({ token }: { token: string }, body: object) =>
  (await call('POST', '/api/messages', { token, body })).body.message as { _id: string, seq: number }

/** Rows of a conversation that have content of a user. */
const contentLeft = async (conversationId: string, senderId: string) =>
  await app.chat.log.collections.rows.countDocuments(
    { conversationId, senderId: new ObjectId(senderId), message: { $exists: true } }, { hint: indexNames.byRev }
  )

t.test('every message of an erased user becomes a tombstone, live, in sync and in the database', async t => {
  const [gone, stays] = [await newPerson(rooms), await newPerson(rooms)]
  const roomId = await make(ann, { systemMessages: true })
  for (const { id } of [gone, stays]) await invite(ann, roomId, { ...ann, id })
  const live = new LiveClient(await connect(t, url, stays.token))
  await live.start()
  const before = await catchUp(rooms, stays)
  const direct = directId(gone.id, stays.id)
  const file = await uploaded(rooms, gone.token)
  await send(gone, { receiverId: stays.id, content: 'with a file', attachments: [{ fileId: file }] })
  const kept = await send(stays, { receiverId: gone.id, content: 'an answer' })
  await send(gone, { receiverId: stays.id, content: 'a reply', replyTo: kept._id })
  await send(gone, { content: 'to all' })
  // More than are deleted at once.
  for (let i = 0; i < 120; i++) await send(gone, { conversationId: `room_${roomId}`, content: `line ${i}` })

  await erase(gone)
  for (const conversationId of [direct, `room_${roomId}`, 'common_chat']) {
    t.equal(await contentLeft(conversationId, gone.id), 0, conversationId)
  }
  t.equal((await contentOf(rooms, file, stays.token)).status, 404)

  const after = await catchUp(rooms, stays, before)
  await live.sync()
  t.same(live.state.conversations[direct]!.messages, after.conversations[direct]!.messages)
  const messages = (Object.values(after.conversations[direct]!.messages) as DirectMessage[])
    .sort((a, b) => a.seq - b.seq)
  t.equal(messages.length, 3)
  t.same(messages.map(({ senderId, message, isDeleted }) => ({ by: senderId.fullName, message, isDeleted })), [
    { by: 'Deleted user', message: '', isDeleted: true },
    { by: stays.identity.user.fullName, message: 'an answer', isDeleted: false },
    { by: 'Deleted user', message: '', isDeleted: true }
  ])
  const inRoom = Object.values(after.conversations[`room_${roomId}`]!.messages)
  t.equal(inRoom.filter(({ isDeleted }) => isDeleted).length, 121, 'what they said, and that they were added')
  t.equal(after.conversations[`room_${roomId}`]!.members[gone.id], null)
})

t.test('what a user said in rooms that they left, or that are deleted, is erased too', async t => {
  const gone = await newPerson(rooms)
  const [left, deleted] = [await make(ann), await make(ann)]
  for (const roomId of [left, deleted]) {
    await invite(ann, roomId, { ...ann, id: gone.id })
    t.ok(await say({ ...ann, token: gone.token }, roomId, 'private words'))
  }
  await as({ ...ann, token: gone.token })('DELETE', `/${left}/members/me`)
  await as(ann)('DELETE', `/${deleted}`)
  await erase(gone)
  for (const roomId of [left, deleted]) t.equal(await contentLeft(`room_${roomId}`, gone.id), 0)
})

t.test('the rooms of an erased owner pass on, and one without others is left', async t => {
  const gone = await newPerson(rooms)
  const owner = { ...ann, token: gone.token, id: gone.id }
  const [shared, alone] = [await make(owner), await make(owner)]
  await invite(owner, shared, ann)
  await erase(gone)
  t.match(
    (await as(ann)('GET', `/${shared}/members`)).body,
    { members: [{ user: { _id: ann.id }, role: 'owner' }], hasMore: false }
  )
  t.equal((await app.chat.log.head(`room_${alone}`))!.memberCount, 0)
})

t.test('an erasure that is cut short is repeated from the beginning, and a repeated one changes nothing', async t => {
  const [gone, stays] = [await newPerson(rooms), await newPerson(rooms)]
  for (let i = 0; i < 3; i++) await send(gone, { receiverId: stays.id, content: `line ${i}` })
  const cut = new AbortController()
  cut.abort()
  t.equal(await eraseFromConversations(app.chat, gone.identity.id, cut.signal), 0)
  t.equal(await contentLeft(directId(gone.id, stays.id), gone.id), 3)
  t.equal(await eraseFromConversations(app.chat, gone.identity.id), 3)
  const { headRev } = (await app.chat.log.head(directId(gone.id, stays.id)))!
  t.equal(await eraseFromConversations(app.chat, gone.identity.id), 0)
  t.equal((await app.chat.log.head(directId(gone.id, stays.id)))!.headRev, headRev)
})

t.test('the doctor finds no defect in what is left', async t => {
  const defects: unknown[] = []
  const onDefect = (defect: unknown) => { defects.push(defect) }
  await examine(app.mongo.client, app.mongo.db!, { repair: false, onDefect })
  t.same(defects, [])
})
