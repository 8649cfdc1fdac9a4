import { Value } from '@sinclair/typebox/value'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { MembersBody } from '../../../src/schemas/room.ts'
import { type User, startRooms } from '../../helpers/rooms.ts'
import { connect } from '../../helpers/sockets.ts'

const { app, url, register, call, root, ann, bob, eve, dan, as, make, invite, say } = await startRooms(t)

t.test('a user invited into a private room becomes a member with a role and is listed', async t => {
  const roomId = await make(ann, { isPrivate: true })
  t.match(
    await invite(ann, roomId, bob), { status: 200, body: { member: { user: { username: 'bob' }, role: 'member' } } }
  )
  t.match(await invite(ann, roomId, dan, 'moderator'), { status: 200, body: { member: { role: 'moderator' } } })
  const first = (await as(bob)('GET', `/${roomId}/members?limit=2`)).body
  t.ok(Value.Check(MembersBody, first))
  const rest = (await as(bob)('GET', `/${roomId}/members?limit=2&cursor=${first.cursor}`)).body
  const listed = [...first.members, ...rest.members] as Array<{ user: { username: string }, role: string }>
  t.same(listed.map(({ user, role }) => `${user.username}: ${role}`), ['ann: owner', 'bob: member', 'dan: moderator'])
  t.match(rest, { hasMore: false, cursor: null })
  t.match((await as(bob)('GET', `/${roomId}`)).body.room, { memberCount: 3, role: 'member' })
  t.match(await invite(ann, roomId, { ...eve, id: 'f'.repeat(24) }), { status: 404, body: { code: 'USER_NOT_FOUND' } })
  await call('PUT', `/api/users/${ann.id}/block`, { token: eve.token })
  t.match(await invite(ann, roomId, eve), { status: 403, body: { code: 'NOT_ALLOWED' } })
  t.match(await invite(dan, roomId, eve), { status: 200 })
  await call('DELETE', `/api/users/${ann.id}/block`, { token: eve.token })
})

t.test('users join and leave a public room by themselves, unless they are banned', async t => {
  const roomId = await make(ann)
  t.match(await as(bob)('GET', `/${roomId}/messages`), { status: 403 })
  t.match(await as(bob)('PUT', `/${roomId}/members/me`), { status: 200, body: { member: { role: 'member' } } })
  t.match(await as(bob)('PUT', `/${roomId}/members/${bob.id}`, { role: 'member' }), { status: 200 }, 'again')
  t.ok(await say(bob, roomId, 'hello'))
  t.match(await as(bob)('DELETE', `/${roomId}/members/me`), { status: 200 })
  t.match(await as(bob)('DELETE', `/${roomId}/members/me`), { status: 200 }, 'again')
  t.match(await as(bob)('POST', `/${roomId}/messages`, { content: 'x' }), { status: 403 })
  await as(bob)('PUT', `/${roomId}/members/me`)
  t.match(await as(ann)('PUT', `/${roomId}/bans/${bob.id}`), { status: 200 })
  t.match(await as(bob)('PUT', `/${roomId}/members/me`), { status: 403 })
  t.match(await (await connect(t, url, bob.token)).ask('joinRoom', roomId), { success: false, code: 'NOT_ALLOWED' })
  t.match(
    (await as(ann)('GET', `/${roomId}/bans`)).body, { users: [{ username: 'bob' }], hasMore: false, cursor: null }
  )
  t.match((await as(ann)('GET', `/${roomId}/members`)).body.members, [{ user: { username: 'ann' } }])
  t.equal((await as(ann)('GET', `/${roomId}/members`)).body.members.length, 1)
  t.match(
    await as(ann)('DELETE', `/${roomId}/members/${bob.id}`),
    { status: 200 },
    'removing somebody who is not there does not lift the ban'
  )
  t.match(await as(bob)('PUT', `/${roomId}/members/me`), { status: 403 })
  t.match(await as(ann)('DELETE', `/${roomId}/bans/${bob.id}`), { status: 200 })
  t.match(await as(bob)('PUT', `/${roomId}/members/me`), { status: 200 })
  await as(ann)('PUT', `/${roomId}/bans/${bob.id}`)
  t.match(await invite(ann, roomId, bob), { status: 200 }, 'an invitation lifts a ban')
  t.same((await as(ann)('GET', `/${roomId}/bans`)).body.users, [])
  t.match(await as(ann)('PUT', `/${roomId}/bans/${'f'.repeat(24)}`), { status: 404, body: { code: 'USER_NOT_FOUND' } })
})

t.test('a room whose owner leaves passes to its oldest moderator, or else its oldest member', async t => {
  const [owner, one, two, three] = [
    await register('founder'), await register('first'), await register('second'), await register('third')
  ]
  const deactivate = async (user: User, isActive = false) =>
    await call('PATCH', `/api/admin/users/${user.id}`, { token: root.token, body: { isActive } })
  const roomId = await make(owner, { isPrivate: true })
  for (const user of [one, two, three]) await invite(owner, roomId, user)
  await invite(owner, roomId, two, 'moderator')
  const socket = await connect(t, url, one.token)
  await socket.ask('setupUser', { live: true })
  await deactivate(owner)
  await socket.wait('conversationChanged', ({ change }) => change.userId === two.id && change.role === 'owner')
  const rolesNow = async () => Object.fromEntries((await as(three)('GET', `/${roomId}/members`)).body.members.map(
    ({ user, role }: { user: { _id: string }, role: string }) => [user._id, role]
  ))
  t.same(await rolesNow(), { [owner.id]: 'member', [one.id]: 'member', [two.id]: 'owner', [three.id]: 'member' })
  await deactivate(owner, true)
  t.equal((await rolesNow())[two.id], 'owner', 'who comes back is a member')

  // A host application erases its users without telling anybody.
  await app.chat.collections.users.deleteOne({ _id: new ObjectId(two.id) })
  app.chat.users.announceChange(two.id)
  await app.chat.collections.users.updateOne({ _id: new ObjectId(owner.id) }, { $set: { isActive: false } })
  app.chat.users.announceChange(owner.id)
  t.match(
    (await as(one)('GET', `/${roomId}`)).body.room, { role: 'owner' }, 'the eldest who is there, at the first look'
  )
  t.match(await as(one)('PATCH', `/${roomId}`, { name: 'inherited' }), { status: 200 })
})

t.test('a room whose only member is a deactivated owner passes to the next user who joins', async t => {
  const [owner, one] = [await register('alone'), await register('visitor')]
  const roomId = await make(owner)
  await call('PATCH', `/api/admin/users/${owner.id}`, { token: root.token, body: { isActive: false } })
  t.match(await as(one)('PUT', `/${roomId}/members/me`), { status: 200, body: { member: { role: 'member' } } })
  t.match((await as(one)('GET', `/${roomId}`)).body.room, { role: 'owner', memberCount: 2 })
})

t.test('an owner who hands over the room becomes a moderator, and can leave', async t => {
  const roomId = await make(ann)
  await invite(ann, roomId, bob)
  t.match(await as(ann)('DELETE', `/${roomId}/members/me`), { status: 403 })
  t.match(await invite(ann, roomId, eve, 'owner'), { status: 403 }, 'not to somebody outside')
  t.match(await invite(bob, roomId, bob, 'owner'), { status: 403 })
  t.match(await invite(ann, roomId, bob, 'owner'), { status: 200, body: { member: { role: 'owner' } } })
  t.match((await as(ann)('GET', `/${roomId}`)).body.room, { role: 'moderator', memberCount: 2 })
  t.match(await as(ann)('DELETE', `/${roomId}/members/me`), { status: 200 })
  t.match(await as(bob)('DELETE', `/${roomId}/members/me`), { status: 200 }, 'the last may go')
  t.match(
    await as(eve)('PUT', `/${roomId}/members/me`),
    { status: 200, body: { member: { role: 'owner' } } },
    'an empty public room belongs to who comes next'
  )
})

t.test('if an owner hands the room to two users at once, one becomes the owner', async t => {
  const roomId = await make(ann)
  for (const user of [bob, dan]) await invite(ann, roomId, user)
  const answers = await Promise.all([bob, dan, bob, dan].map(async user => await invite(ann, roomId, user, 'owner')))
  const heirs = answers.flatMap(({ status, body }) => status === 200 ? [body.member.user.username as string] : [])
  t.equal(new Set(heirs).size, 1)
  t.match(answers.filter(({ status }) => status !== 200).map(({ status }) => status), [403, 403])
  const { members } = (await as(ann)('GET', `/${roomId}/members`)).body
  t.equal(members.filter(({ role }: { role: string }) => role === 'owner').length, 1)
  t.match(members.find(({ user }: { user: { username: string } }) => user.username === 'ann'), { role: 'moderator' })
})

t.test('a message sent during its sender\'s removal is stored before the removal or not at all', async t => {
  for (let round = 0; round < 10; round++) {
    const roomId = await make(ann)
    await as(bob)('PUT', `/${roomId}/members/me`)
    const first = await say(bob, roomId, 'first')
    const socket = await connect(t, url, bob.token)
    const sends = Array.from(
      { length: 10 }, async (_, index) => await socket.ask('sendRoomMessage', { roomId, content: `n ${index}` })
    )
    const edit = socket.ask('editMessage', { messageId: first._id, content: 'edited' })
    const react = socket.ask('react', { messageId: first._id, emoji: '👍', on: true })
    const removed = await as(ann)('PUT', `/${roomId}/bans/${bob.id}`)
    const answers = await Promise.all([...sends, edit, react])
    t.equal(removed.status, 200)
    const row = await app.chat.log.collections.rows.findOne(
      { conversationId: `room_${roomId}`, kind: 'membership', banned: true }
    )
    const after = await app.chat.log.collections.rows.countDocuments(
      { conversationId: `room_${roomId}`, kind: 'message', rev: { $gt: row!.rev } }
    )
    t.equal(after, 0)
    t.ok(
      answers.every(({ success, code }) => success === true || ['NOT_ALLOWED', 'NOT_FOUND'].includes(code as string))
    )
  }
})
