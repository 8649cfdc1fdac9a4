import { Value } from '@sinclair/typebox/value'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { CommonChatMessage, DirectMessage, RoomMessage } from '../../src/schemas/message.ts'
import { startApp } from '../helpers/app.ts'
import { connect, open } from '../helpers/sockets.ts'

const { app, url, register, call } = await startApp(t)
const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]

for (const transport of ['websocket', 'polling'] as const) {
  const options = { transports: [transport] }

  t.test(`over ${transport}, setupUser is answered by userSetup`, async t => {
    const socket = await connect(t, url, ann.token, options)
    socket.socket.emit('setupUser')
    t.same(await socket.wait('userSetup'), { success: true, userId: ann.id })
    t.same(await socket.ask('setupUser', { userId: ann.id }), { success: true, userId: ann.id })
  })

  t.test(`over ${transport}, a direct message reaches every device of both users and nobody else`, async t => {
    const [sender, senderToo, receiver, receiverToo, stranger] = await Promise.all([
      connect(t, url, ann.token, options), connect(t, url, ann.token, options), connect(t, url, bob.token, options), connect(t, url, bob.token, options), connect(t, url, eve.token, options)
    ])
    const text = `Grüße 👋 ${transport}`
    sender.socket.emit('sendDirectMessage', { receiverId: bob.id, content: text })
    for (const socket of [sender, senderToo, receiver, receiverToo]) {
      const message = await socket.wait('directMessage')
      t.ok(Value.Check(DirectMessage, message), 'has the form that the schema says')
      t.match(message, {
        senderId: { _id: ann.id, username: 'ann', fullName: 'Full ann', profilePicture: null },
        receiverId: { _id: bob.id, username: 'bob' },
        message: text,
        listingId: null,
        messageType: 'text',
        isRead: false,
        clientMessageId: null,
        replyTo: null,
        reactions: [],
        editedAt: null,
        isDeleted: false
      })
      t.notMatch(JSON.stringify(message), /example\.org|password/)
    }
    await stranger.ask('setupUser')
    t.equal(stranger.all('directMessage').length, 0)
    await sender.ask('setupUser')
    t.equal(sender.all('directMessage').length, 1, 'once for each socket')
  })

  t.test(`over ${transport}, the common chat is delivered between joining and leaving, also to its sender`, async t => {
    const [member, other] = await Promise.all([connect(t, url, ann.token, options), connect(t, url, bob.token, options)])
    member.socket.emit('joinCommonChat')
    t.same(await member.wait('joinedCommonChat'), { success: true })
    const unheard = await other.ask('sendCommonChatMessage', { content: 'needs no join' })
    t.equal(unheard.success, true)
    t.equal((await member.wait('commonChatMessage')).user._id, bob.id)
    member.socket.emit('sendCommonChatMessage', { content: 'hello all' })
    const message = await member.wait('commonChatMessage', ({ user }) => user._id === ann.id)
    t.ok(Value.Check(CommonChatMessage, message))
    t.match(message, { user: { username: 'ann' }, message: 'hello all', messageType: 'text', conversationId: 'common_chat' })
    t.ok(await app.chat.log.collections.rows.findOne({ _id: new ObjectId(message._id as string) }), 'is stored under the id that was sent')
    member.socket.emit('leaveCommonChat')
    t.same(await member.wait('leftCommonChat'), { success: true })
    await other.ask('sendCommonChatMessage', { content: 'after' })
    await member.ask('setupUser')
    t.notOk(member.all('commonChatMessage').some(({ message }) => message === 'after'))
    t.equal(other.all('commonChatMessage').length, 0)
  })

  t.test(`over ${transport}, joining an unknown room opens it, and its members get what is sent there`, async t => {
    const [owner, member, stranger] = await Promise.all([connect(t, url, ann.token, options), connect(t, url, bob.token, options), connect(t, url, eve.token, options)])
    const roomId = `den:${transport}.1-x_y`
    owner.socket.emit('joinRoom', roomId)
    t.same(await owner.wait('joinedRoom'), { roomId, success: true })
    await member.ask('joinRoom', roomId)
    member.socket.emit('sendRoomMessage', { roomId, content: 'hi' })
    for (const socket of [owner, member]) {
      const message = await socket.wait('roomMessage')
      t.ok(Value.Check(RoomMessage, message))
      t.match(message, { roomId, user: { _id: bob.id }, message: 'hi', conversationId: `room_${roomId}` })
    }
    stranger.socket.emit('sendRoomMessage', { roomId, content: 'no', clientMessageId: 'x' })
    t.match(await stranger.wait('error'), { message: 'Failed to send message', code: 'NOT_ALLOWED', event: 'sendRoomMessage', clientMessageId: 'x' })
    member.socket.emit('leaveRoom', roomId)
    t.same(await member.wait('leftRoom'), { roomId, success: true })
    await owner.ask('sendRoomMessage', { roomId, content: 'unheard' })
    await Promise.all([member.ask('setupUser'), stranger.ask('setupUser')])
    t.equal(member.all('roomMessage').length, 1)
    t.equal(stranger.all('roomMessage').length, 0)
    t.equal((await app.chat.log.member(`room_${roomId}`, new ObjectId(ann.id)))?.role, 'owner')
    t.equal((await app.chat.log.member(`room_${roomId}`, new ObjectId(bob.id)))?.role, 'member', 'leaving ends delivery, not membership')
  })

  t.test(`over ${transport}, an invalid token is refused with the texts that legacy clients know`, async t => {
    const refusal = async (token: unknown) => await new Promise(resolve => {
      open(t, url, token, options).socket.once('connect_error', error => { resolve(error.message) })
    })
    t.equal(await refusal(undefined), 'Authentication error: No token provided')
    for (const token of ['garbage', `${ann.token}x`, 7, { a: 1 }]) t.equal(await refusal(token), 'Authentication error: Invalid token')
    const gone = await register(`gone-${transport}`)
    await app.chat.collections.users.deleteOne({ _id: new ObjectId(gone.id) })
    app.chat.users.announceChange(gone.id)
    t.equal(await refusal(gone.token), 'Authentication error: User not found')
  })
}

t.test('a message sent right after a join, without waiting, is stored and reaches its sender', async t => {
  const socket = await connect(t, url, ann.token)
  const other = await connect(t, url, bob.token)
  for (const [round, who] of [socket, socket, other, socket].entries()) {
    who.socket.emit('joinRoom', 'hasty')
    who.socket.emit('sendRoomMessage', { roomId: 'hasty', content: `right behind ${round}` })
    await who.wait('roomMessage', ({ message }) => message === `right behind ${round}`)
    await who.ask('leaveRoom', 'hasty')
  }
  t.same(socket.all('error'), [])
})

t.test('of several users who join a new room at once, one becomes the owner', async t => {
  const sockets = await Promise.all([ann, bob, eve].flatMap(user => [connect(t, url, user.token), connect(t, url, user.token)]))
  for (const answer of await Promise.all(sockets.map(socket => socket.ask('joinRoom', 'rush')))) t.same(answer, { success: true, roomId: 'rush' })
  const members = await app.chat.log.collections.members.find({ conversationId: 'room_rush' }).toArray()
  t.same(members.map(({ role }) => role).sort(), ['member', 'member', 'owner'])
})

t.test('a room id of the server\'s form must exist, and strangers do not find a private room', async t => {
  const stranger = await connect(t, url, eve.token)
  const unknown = await stranger.ask('joinRoom', 'a'.repeat(24))
  t.match(unknown, { success: false, code: 'NOT_FOUND' })
  await app.chat.log.commit({
    mutations: [{
      type: 'member', conversationId: `room_${'b'.repeat(24)}`, userId: new ObjectId(ann.id), role: 'owner', open: { kind: 'room', isPrivate: true, members: [] }
    }]
  })
  t.same(await stranger.ask('joinRoom', 'B'.repeat(24)), unknown)
  t.same(await stranger.ask('sendRoomMessage', { roomId: 'b'.repeat(24), content: 'x' }), unknown)
  t.same(await stranger.ask('markRead', { conversationId: `room_${'b'.repeat(24)}`, seq: 1 }), unknown)
  t.same(await stranger.ask('typing', { conversationId: `room_${'b'.repeat(24)}`, on: true }), unknown)
  t.equal((await call('GET', `/api/rooms/${'b'.repeat(24)}/messages`, { token: eve.token })).status, 404)
  const owner = await connect(t, url, ann.token)
  t.match(await owner.ask('joinRoom', 'b'.repeat(24)), { success: true })
  t.match(await owner.ask('sendRoomMessage', { roomId: 'b'.repeat(24), content: 'x' }), { success: true })
  await stranger.ask('setupUser')
  t.equal(stranger.all('roomMessage').length, 0)
})

t.test('edits, deletes and reads reach everybody who got the message', async t => {
  const [sender, receiver, stranger] = await Promise.all([connect(t, url, ann.token), connect(t, url, bob.token), connect(t, url, eve.token)])
  const { message } = await sender.ask('sendDirectMessage', { receiverId: bob.id, content: 'frist' })
  const edited = await sender.ask('editMessage', { messageId: message._id, content: 'first' })
  t.match(edited, { success: true, message: { message: 'first', isRead: false }, rev: message.rev + 1 })
  t.type(edited.message.editedAt, 'string')
  for (const socket of [sender, receiver]) t.same(await socket.wait('messageChanged'), edited.message)
  t.match(await receiver.ask('editMessage', { messageId: message._id, content: 'x' }), { code: 'NOT_ALLOWED' })
  t.match(await receiver.ask('deleteMessage', { messageId: message._id }), { code: 'NOT_ALLOWED' })
  t.match(await stranger.ask('editMessage', { messageId: message._id, content: 'x' }), { code: 'NOT_FOUND' })
  t.match(await stranger.ask('deleteMessage', { messageId: message._id }), { code: 'NOT_FOUND' })

  const { conversationId, seq } = message
  const read = await receiver.ask('markRead', { conversationId, seq })
  t.match(read, { success: true, seq })
  t.same(await sender.wait('messagesRead', payload => payload.seq === seq), { conversationId, userId: bob.id, seq, at: read.at })
  t.match(await stranger.ask('markRead', { conversationId, seq }), { code: 'NOT_FOUND' })

  const deleted = await sender.ask('deleteMessage', { messageId: message._id })
  t.match(deleted, { success: true, message: { _id: message._id, message: '', isDeleted: true, editedAt: null, isRead: true, seq }, rev: message.rev + 2 })
  t.same(await receiver.wait('messageChanged', ({ isDeleted }) => isDeleted), deleted.message)
  t.match(await sender.ask('deleteMessage', { messageId: message._id }), { success: true, rev: deleted.rev }, 'deleting again changes nothing')
  t.match(await sender.ask('editMessage', { messageId: message._id, content: 'x' }), { code: 'NOT_ALLOWED' })
  await Promise.all([stranger.ask('setupUser'), receiver.ask('setupUser')])
  t.same(stranger.events.map(({ name }) => name), ['userSetup'])
  t.equal(receiver.all('messageChanged').length, 2)
  t.equal(receiver.all('messagesRead').length, 0, 'the socket that read has its answer')
})

t.test('typing of members reaches the others, at a limited rate', async t => {
  const [sender, senderToo, receiver, stranger] = await Promise.all([connect(t, url, ann.token), connect(t, url, ann.token), connect(t, url, bob.token), connect(t, url, eve.token)])
  const conversationId = (await sender.ask('sendDirectMessage', { receiverId: bob.id, content: 'x' })).message.conversationId
  t.match(await stranger.ask('typing', { conversationId, on: true }), { code: 'NOT_FOUND' })
  for (let i = 0; i < 20; i++) sender.socket.emit('typing', { conversationId, on: true })
  t.match(await sender.ask('typing', { conversationId, on: false }), { success: true })
  t.same(await receiver.wait('typing', ({ on }) => !on), { conversationId, userId: ann.id, on: false })
  t.equal(receiver.all('typing').length, 2)
  await senderToo.ask('setupUser')
  t.equal(senderToo.all('typing').length, 0)
})

t.test('a user who blocks another gets no messages from them', async t => {
  const [sender, receiver] = await Promise.all([connect(t, url, eve.token), connect(t, url, bob.token)])
  const first = { receiverId: bob.id, content: 'before', clientMessageId: 'before-the-block' }
  const stored = await sender.ask('sendDirectMessage', first)
  t.match(stored, { success: true })
  await call('PUT', `/api/users/${eve.id}/block`, { token: bob.token })
  t.match(await sender.ask('sendDirectMessage', { receiverId: bob.id, content: 'x' }), { success: false, code: 'NOT_ALLOWED', retryable: false })
  t.match(await sender.ask('sendDirectMessage', first), { success: true, duplicate: true }, 'a retry of what was stored is still no failure')
  t.match(await sender.ask('editMessage', { messageId: stored.message._id, content: 'edited' }), { code: 'NOT_ALLOWED' }, 'nor edits')
  t.match(await receiver.ask('sendDirectMessage', { receiverId: eve.id, content: 'x' }), { success: true })
  await call('DELETE', `/api/users/${eve.id}/block`, { token: bob.token })
  t.match(await sender.ask('sendDirectMessage', { receiverId: bob.id, content: 'again' }), { success: true })
})

t.test('you cannot write to yourself, to an unknown user or to a deactivated one', async t => {
  const sender = await connect(t, url, ann.token)
  const off = await register('off')
  await app.chat.collections.users.updateOne({ _id: new ObjectId(off.id) }, { $set: { isActive: false } })
  app.chat.users.announceChange(off.id)
  t.match(await sender.ask('sendDirectMessage', { receiverId: ann.id, content: 'x' }), { code: 'NOT_ALLOWED' })
  t.match(await sender.ask('sendDirectMessage', { receiverId: 'f'.repeat(24), content: 'x' }), { code: 'USER_NOT_FOUND' })
  t.match(await sender.ask('sendDirectMessage', { receiverId: off.id, content: 'x' }), { code: 'USER_NOT_FOUND' })
  sender.socket.emit('sendDirectMessage', { receiverId: off.id, content: 'x', clientMessageId: 'mine' })
  t.same(await sender.wait('error'), { message: 'Failed to send message', error: 'User not found', code: 'USER_NOT_FOUND', event: 'sendDirectMessage', clientMessageId: 'mine' })
})

t.test('a listing is shown with its title, and a missing one as null', async t => {
  const sender = await connect(t, url, ann.token)
  const _id = new ObjectId()
  await app.chat.collections.listings.insertOne({ _id, title: 'A bicycle' })
  const about = await sender.ask('sendDirectMessage', { receiverId: bob.id, content: 'x', listingId: _id.toHexString().toUpperCase() })
  t.same(about.message.listingId, { _id: _id.toHexString(), title: 'A bicycle' })
  t.equal((await sender.ask('sendDirectMessage', { receiverId: bob.id, content: 'x', listingId: 'f'.repeat(24) })).message.listingId, null)
})
