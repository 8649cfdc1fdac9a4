import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { evictFromDeletedRooms } from '../../../src/chat/rooms/delete-room.ts'
import { RoomBody, RoomsBody } from '../../../src/schemas/room.ts'
import { type User, startRooms } from '../../helpers/rooms.ts'
import { connect } from '../../helpers/sockets.ts'

const { app, url, register, call, root, ann, bob, eve, dan, as, make, invite, say } = await startRooms(t)

t.test('the server chooses a room\'s id, and shows the room to users who may know of it', async t => {
  const made = await as(ann)('POST', '', { name: 'Friends', isPrivate: true, history: 'joined' })
  t.equal(made.status, 201)
  t.ok(Value.Check(RoomBody, made.body))
  t.match(made.body.room, {
    roomId: /^[0-9a-f]{24}$/, name: 'Friends', isPrivate: true, history: 'joined', memberCount: 1, role: 'owner'
  })
  const { roomId } = made.body.room
  t.equal(made.body.room.conversationId, `room_${roomId}`)
  t.same((await as(ann)('GET', `/${roomId}`)).body.room, made.body.room)
  t.same((await as(ann)('GET', `/${roomId.toUpperCase()}`)).body.room, made.body.room)
  const [forbidden, unknown] = [await as(bob)('GET', `/${roomId}`), await as(bob)('GET', `/${'f'.repeat(24)}`)]
  t.equal(forbidden.status, 404)
  t.same(forbidden.body, unknown.body)
  for (const body of [
    {},
    { name: '' },
    { name: '  ' },
    { name: 'x'.repeat(101) },
    { name: 'a\nb' },
    { name: 7 },
    { name: 'x', isPrivate: 'yes' },
    { name: 'x', history: 'none' },
    { name: 'x', private: true },
    { name: '\u200b\u3164' },
    { name: 'a\u202eb' },
    'x',
    null
  ]) {
    t.equal((await as(ann)('POST', '', body)).status, 400)
  }
  t.match((await as(bob)('GET', `/${await make(ann)}`)).body.room, {
    role: null, name: 'a room', isPrivate: false, history: 'all'
  })
})

t.test('the list has the public rooms and your own, each once, in pages', async t => {
  const owner = await register('lister')
  const own: string[] = []
  for (let i = 0; i < 5; i++) own.push(await make(owner, { isPrivate: i % 2 === 0 }))
  const hidden = await make(dan, { isPrivate: true })
  const gone = await make(dan)
  await as(dan)('DELETE', `/${gone}`)
  const socket = await connect(t, url, dan.token)
  await socket.ask('joinRoom', 'lobby')
  const listed: Array<{ roomId: string, role: string | null }> = []
  let cursor = ''
  do {
    const { status, body } = await as(owner)('GET', `?limit=2${cursor}`)
    t.equal(status, 200)
    t.ok(Value.Check(RoomsBody, body))
    t.ok(body.rooms.length <= 2)
    listed.push(...body.rooms)
    t.equal(body.hasMore, body.cursor !== null)
    cursor = body.cursor === null ? '' : `&cursor=${body.cursor}`
  } while (cursor !== '')
  const ids = listed.map(({ roomId }) => roomId)
  t.same(ids, [...new Set(ids)].sort())
  for (const id of [...own, 'lobby']) t.ok(ids.includes(id))
  for (const id of [hidden, gone]) t.notOk(ids.includes(id))
  t.ok(listed.every(({ roomId, role }) => role === (own.includes(roomId) ? 'owner' : null)))
  t.equal((await as(owner)('GET', '?cursor=a%20b')).status, 400)
})

t.test('every route answers a stranger to a private room as if it did not exist', async t => {
  const roomId = await make(ann, { isPrivate: true })
  const message = await say(ann, roomId, 'secret')
  const nowhere = 'f'.repeat(24)
  const routes: Array<[string, string, unknown?]> = [
    ['GET', '/ID'], ['PATCH', '/ID', { name: 'x' }], ['DELETE', '/ID'], ['GET', '/ID/messages'], ['POST', '/ID/messages', { content: 'x' }], ['GET', '/ID/members'],
    ['PUT', '/ID/members/me', {}], ['PUT', '/ID/members/me', { role: 'owner' }], ['PUT', `/ID/members/${eve.id}`, {}], [
      'PUT', `/ID/members/${ann.id}`, { role: 'member' }
    ],
    ['DELETE', '/ID/members/me'], ['DELETE', `/ID/members/${ann.id}`], ['GET', '/ID/bans'], ['PUT', `/ID/bans/${ann.id}`], ['PUT', `/ID/bans/${eve.id}`], ['DELETE', `/ID/bans/${eve.id}`]
  ]
  for (const [method, path, body] of routes) {
    const [real, made] = [
      await as(bob)(method, path.replace('ID', roomId), body), await as(bob)(method, path.replace('ID', nowhere), body)
    ]
    t.match(real, { status: 404, body: { code: 'NOT_FOUND' } }, `${method} ${path}`)
    t.same(real.body, made.body)
  }
  const socket = await connect(t, url, bob.token)
  for (const [event, data] of [['joinRoom', roomId], ['sendRoomMessage', { roomId, content: 'x' }], ['editMessage', { messageId: message._id, content: 'x' }], ['deleteMessage', { messageId: message._id }],
    ['react', { messageId: message._id, emoji: '👍', on: true }], ['markRead', { conversationId: `room_${roomId}`, seq: 1 }], ['typing', { conversationId: `room_${roomId}`, on: true }]] as const) {
    t.match(await socket.ask(event, data), { success: false, code: 'NOT_FOUND' }, event)
  }
})

t.test('owners and moderators change the settings, and unknown fields are refused', async t => {
  const roomId = await make(ann)
  await invite(ann, roomId, bob)
  await invite(ann, roomId, dan, 'moderator')
  t.match(await as(bob)('PATCH', `/${roomId}`, { name: 'mine' }), { status: 403 })
  t.match(await as(eve)('PATCH', `/${roomId}`, { name: 'mine' }), { status: 403 })
  t.match(await as(dan)('PATCH', `/${roomId}`, { name: 'Ours', isPrivate: true, deleted: true }), {
    status: 400, body: { message: /^deleted is not a known field/ }
  })
  t.match(await as(dan)('PATCH', `/${roomId}`, { name: 'Ours', isPrivate: true }), {
    status: 200, body: { room: { name: 'Ours', isPrivate: true, memberCount: 3 } }
  })
  const head = await app.chat.log.head(`room_${roomId}`)
  await as(dan)('PATCH', `/${roomId}`, { name: 'Ours' })
  t.equal((await app.chat.log.head(`room_${roomId}`))!.headRev, head!.headRev, 'what is so already takes no rev')
  t.equal((await as(eve)('GET', `/${roomId}`)).status, 404, 'a room that became private is gone for others')
  t.match((await as(ann)('PATCH', `/${roomId}`, { history: 'joined' })).body.room, { history: 'joined', name: 'Ours' })
  t.equal((await as(ann)('PATCH', `/${roomId}`, { name: '' })).status, 400)
})

t.test('in a room with history from joining on, no route shows a member anything older', async t => {
  const roomId = await make(ann, { history: 'joined' })
  const old = await say(ann, roomId, 'before')
  await as(bob)('PUT', `/${roomId}/members/me`)
  const young = await say(ann, roomId, 'after')
  t.same(
    (await as(bob)('GET', `/${roomId}/messages`)).body.messages.map(({ message }: { message: string }) => message),
    ['after']
  )
  t.same((await as(bob)('GET', `/${roomId}/messages?before=${young.seq}`)).body, {
    ...(await as(bob)('GET', `/${roomId}/messages?before=${young.seq}`)).body, messages: [], hasMore: false
  })
  t.match(await as(bob)('POST', `/${roomId}/messages`, { content: 're', replyTo: old._id }), { status: 400 })
  t.match(await as(bob)('POST', `/${roomId}/messages`, { content: 're', replyTo: young._id }), { status: 201 })
  for (const [method, path, body] of [['PUT', `/api/messages/${old._id}`, { content: 'x' }], ['DELETE', `/api/messages/${old._id}`], ['PATCH', `/api/messages/${old._id}/read`], ['PUT', `/api/messages/${old._id}/reactions/👍`]] as const) {
    t.equal((await call(method, path, { token: bob.token, body })).status, 404, `${method} ${path}`)
  }
  t.match((await call('GET', '/api/messages/unread-count', { token: bob.token })).body.conversations, {
    [`room_${roomId}`]: 1
  })
  await as(ann)('PATCH', `/${roomId}`, { history: 'all' })
  t.same(
    (await as(bob)('GET', `/${roomId}/messages`)).body.messages.map(({ message }: { message: string }) => message),
    ['before', 'after', 're']
  )
})

t.test('members cannot show others more of a hidden history than they see themselves', async t => {
  const roomId = await make(ann, { history: 'joined' })
  await say(ann, roomId, 'before everybody left')
  await as(ann)('DELETE', `/${roomId}/members/me`)
  t.match(await as(eve)('PUT', `/${roomId}/members/me`), { status: 200, body: { member: { role: 'owner' } } })
  await say(eve, roomId, 'of the new owner')
  const shown = async (user: User) => (await as(user)('GET', `/${roomId}/messages`)).body.messages.map(
    ({ message }: { message: string }) => message
  )
  t.same(await shown(eve), ['of the new owner'])
  const socket = await connect(t, url, eve.token)
  await socket.ask('setupUser', { live: true })
  await as(eve)('PATCH', `/${roomId}`, { history: 'all' })
  await invite(eve, roomId, bob)
  await say(eve, roomId, 'later')
  for (const user of [eve, bob]) t.same(await shown(user), ['of the new owner', 'later'])
  const { body } = await call('POST', '/api/sync', { token: bob.token, body: {} })
  t.same(body.conversations.find(({ conversationId }: { conversationId: string }) => conversationId === `room_${roomId}`).changes
    .flatMap(({ message }: { message?: { message: string } }) => message?.message ?? []), ['of the new owner', 'later'])
  const { log } = app.chat
  const hidden = await log.collections.rows.findOne({ conversationId: `room_${roomId}`, seq: 1 as never })
  await call('PUT', `/api/messages/${hidden!._id.toHexString()}`, { token: ann.token, body: { content: 'x' } })
  t.match(
    await call('PUT', `/api/messages/${hidden!._id.toHexString()}/reactions/👍`, { token: eve.token }), { status: 404 }
  )
})

t.test('members keep what they saw when a later member opens the whole history', async t => {
  const roomId = await make(ann, { history: 'joined' })
  await say(ann, roomId, 'early')
  await invite(ann, roomId, bob)
  await invite(ann, roomId, bob, 'moderator')
  await say(ann, roomId, 'late')
  await as(bob)('PATCH', `/${roomId}`, { history: 'all' })
  await invite(ann, roomId, eve)
  const shown = async (user: User) => (await as(user)('GET', `/${roomId}/messages`)).body.messages.map(
    ({ message }: { message: string }) => message
  )
  t.same([await shown(ann), await shown(bob), await shown(eve)], [['early', 'late'], ['late'], ['late']])
  await as(ann)('PATCH', `/${roomId}`, { history: 'joined' })
  await as(ann)('PATCH', `/${roomId}`, { history: 'all' })
  t.same(await shown(eve), ['early', 'late'], 'who saw all of it can show all of it')
})

t.test('an administrator governs any room without being a member', async t => {
  const roomId = await make(ann, { isPrivate: true, history: 'joined' })
  await invite(ann, roomId, bob)
  await say(ann, roomId, 'a secret')
  t.match((await as(root)('GET', `/${roomId}`)).body.room, { role: null })
  t.equal((await as(root)('GET', `/${roomId}/messages`)).status, 404, 'what is said there is not theirs')
  t.equal((await as(root)('PUT', `/${roomId}/members/me`)).status, 404)
  t.match(await as(root)('PATCH', `/${roomId}`, { name: 'governed', history: 'all' }), {
    status: 200, body: { room: { name: 'governed' } }
  })
  await invite(ann, roomId, dan)
  t.same((await as(dan)('GET', `/${roomId}/messages`)).body.messages, [], 'an administrator opens nothing of the past')
  t.match(await as(root)('PUT', `/${roomId}/bans/${dan.id}`), { status: 200 })
  t.match((await as(root)('GET', `/${roomId}/bans`)).body.users, [{ _id: dan.id }])
  t.match(await as(root)('DELETE', `/${roomId}/members/${ann.id}`), { status: 403 }, 'the owner is replaced first')
  t.match(await as(root)('PUT', `/${roomId}/members/${bob.id}`, { role: 'owner' }), {
    status: 200, body: { member: { role: 'owner' } }
  })
  t.match(
    await as(root)('PUT', `/${roomId}/members/${bob.id}`, { role: 'owner' }),
    { status: 200, body: { member: { role: 'owner' } } },
    'repeating it changes nothing'
  )
  t.match((await as(ann)('GET', `/${roomId}`)).body.room, { role: 'moderator' })
  t.match(await as(root)('DELETE', `/${roomId}/members/${ann.id}`), { status: 200 })
  t.match((await as(root)('GET', `/${roomId}/members`)).body.members, [{ role: 'owner', user: { _id: bob.id } }])
  t.match(await as(root)('DELETE', `/${roomId}`), { status: 200 })
  t.match(await as(root)('GET', `/${roomId}`), { status: 404 })
})

t.test('a room whose id a client chose stays public, and `.` and `..` are no ids', async t => {
  const socket = await connect(t, url, ann.token)
  await socket.ask('joinRoom', 'chosen')
  t.match(await as(ann)('PATCH', '/chosen', { isPrivate: true }), { status: 403, body: { code: 'NOT_ALLOWED' } })
  t.match(await as(ann)('PATCH', '/chosen', { name: 'named', isPrivate: false }), { status: 200 })
  for (const id of ['.', '..']) {
    t.match(await socket.ask('joinRoom', id), { success: false, code: 'VALIDATION' }, id)
    t.match(
      await socket.ask('sendRoomMessage', { roomId: id, content: 'x' }), { success: false, code: 'VALIDATION' }, id
    )
    t.match(
      await socket.ask('typing', { conversationId: `room_${id}`, on: true }), { success: false, code: 'NOT_FOUND' }, id
    )
  }
  for (const id of ['...', '.a', 'a.', '..a', '_', ':', '-.-']) {
    t.match(await socket.ask('joinRoom', id), { success: true }, id)
  }
})

t.test('a deleted room is gone for everybody and in every route, and its id is never free again', async t => {
  const roomId = await make(ann)
  await invite(ann, roomId, bob, 'moderator')
  await as(dan)('PUT', `/${roomId}/members/me`)
  const message = await say(bob, roomId, 'hello')
  t.match(await as(bob)('DELETE', `/${roomId}`), { status: 403 })
  t.match(await as(eve)('DELETE', `/${roomId}`), { status: 403 })
  t.match(await as(ann)('DELETE', `/${roomId}`), { status: 200 })
  for (const user of [ann, bob, dan, eve]) {
    for (const [method, path, body] of [['GET', `/${roomId}`], ['GET', `/${roomId}/messages`], ['GET', `/${roomId}/members`], ['POST', `/${roomId}/messages`, { content: 'x' }], ['PUT', `/${roomId}/members/me`],
      ['PATCH', `/${roomId}`, { name: 'x' }], ['DELETE', `/${roomId}/members/me`], ['DELETE', `/${roomId}`]] as const) {
      t.equal((await as(user)(method, path, body)).status, 404, `${method} ${path}`)
    }
    t.equal((await call('PUT', `/api/messages/${message._id}/reactions/👍`, { token: user.token })).status, 404)
  }
  t.equal((await app.chat.log.head(`room_${roomId}`))!.memberCount, 0)
  t.equal(await app.chat.log.collections.members.countDocuments({ conversationId: `room_${roomId}` }), 0)
  const out = await app.chat.log.collections.rows.find({ about: `room_${roomId}`, kind: 'membership' }).toArray()
  t.same(out.map(({ role }) => role), [null, null, null], 'each member\'s own log says so')

  const socket = await connect(t, url, ann.token)
  await socket.ask('joinRoom', 'named')
  t.match(await as(ann)('DELETE', '/named'), { status: 200 })
  t.match(await socket.ask('joinRoom', 'named'), { success: false, code: 'NOT_FOUND' })
})

t.test('no request during the deletion of a room leaves a member or message in it', async t => {
  for (let round = 0; round < 5; round++) {
    const roomId = await make(ann)
    for (const user of [bob, dan]) await as(user)('PUT', `/${roomId}/members/me`)
    const message = await say(bob, roomId, 'hello')
    const answers = await Promise.all([
      as(bob)('POST', `/${roomId}/messages`, { content: 'x' }), call(
        'PUT', `/api/messages/${message._id}`, { token: bob.token, body: { content: 'y' } }
      ),
      as(ann)('DELETE', `/${roomId}`), as(eve)('PUT', `/${roomId}/members/me`), invite(ann, roomId, eve), invite(ann, roomId, bob, 'moderator'), as(ann)('PUT', `/${roomId}/bans/${dan.id}`),
      as(dan)('DELETE', `/${roomId}/members/me`), as(dan)('POST', `/${roomId}/messages`, { content: 'x' }), call(
        'PUT', `/api/messages/${message._id}/reactions/👍`, { token: dan.token }
      )
    ])
    t.ok(answers.every(({ status }) => [200, 201, 403, 404].includes(status)))
    const { rows, members } = app.chat.log.collections
    const gone = await rows.findOne({ conversationId: `room_${roomId}`, kind: 'meta' })
    t.match(gone, { deleted: true })
    t.equal(
      await rows.countDocuments({ conversationId: `room_${roomId}`, rev: { $gt: gone!.rev }, kind: 'message' }), 0
    )
    t.equal(await rows.countDocuments({ conversationId: `room_${roomId}`, rev: { $gt: gone!.rev }, kind: 'membership', role: { $ne: null } }), 0)
    t.equal(await members.countDocuments({ conversationId: `room_${roomId}` }), 0)
  }
})

t.test('an interrupted deletion is completed by the next request or the next start', async t => {
  const rooms = [await make(ann), await make(ann)]
  for (const roomId of rooms) {
    for (const user of [bob, dan]) await as(user)('PUT', `/${roomId}/members/me`)
    await app.chat.log.commit({ mutations: [{ type: 'meta', conversationId: `room_${roomId}`, decide: () => ({ deleted: true, isPrivate: true }) }] })
    for (const user of [ann, bob]) t.equal((await as(user)('GET', `/${roomId}/messages`)).status, 404)
    t.equal((await as(bob)('POST', `/${roomId}/messages`, { content: 'x' })).status, 404)
    t.notOk((await as(bob)('GET', '?limit=200')).body.rooms.some((room: { roomId: string }) => room.roomId === roomId))
  }
  t.equal((await as(bob)('DELETE', `/${rooms[0]}`)).status, 404)
  t.equal((await as(ann)('DELETE', `/${rooms[0]}`)).status, 200)
  await evictFromDeletedRooms(app.chat)
  for (const roomId of rooms) {
    t.equal(
      await app.chat.log.collections.members.countDocuments({ conversationId: `room_${roomId}` }), 0
    )
  }
})
