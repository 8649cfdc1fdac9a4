import t, { type Test } from 'tap'
import { type TestApp, startApp } from '../../helpers/app.ts'

type User = Awaited<ReturnType<TestApp['register']>>

/** A product whose users take two invitations from strangers, and what users do there. */
async function start (t: Test, environment: Record<string, string> = {}) {
  const test = await startApp(t, { RATE_LIMIT_INVITATIONS: '2', ADMIN_USERS: 'root', ...environment })
  const as = async (user: User, method: string, path: string, body?: unknown) => await test.call(method, path, { token: user.token, body })
  const makeRoom = async (owner: User): Promise<string> => (await as(owner, 'POST', '/api/rooms', { name: 'a room' })).body.room.roomId
  const invite = async (inviter: User, roomId: string, user: User, role = 'member') => await as(inviter, 'PUT', `/api/rooms/${roomId}/members/${user.id}`, { role })
  const inviteAnew = async (inviter: User, user: User) => await invite(inviter, await makeRoom(inviter), user)
  const fill = async (user: User) => {
    for (const name of ['crowd_1', 'crowd_2']) t.match(await inviteAnew(await test.register(`${name}_${user.id}`), user), { status: 200 })
  }
  return { ...test, as, makeRoom, invite, inviteAnew, fill }
}

const refused = { status: 429, body: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: Number } }

t.test('invitations from strangers are limited per user and day, and the inviter learns when to try again', async t => {
  const { register, invite, inviteAnew, makeRoom, as, fill } = await start(t)
  const [ann, eve] = [await register('ann'), await register('eve')]
  await fill(ann)
  const roomId = await makeRoom(eve)
  const answer = await invite(eve, roomId, ann)
  t.match(answer, refused)
  t.ok(answer.body.retryAfterMs > 86_000_000 && answer.body.retryAfterMs <= 86_400_000)
  t.match(await as(ann, 'GET', `/api/rooms/${roomId}`), { body: { room: { role: null, memberCount: 1 } } })
  t.match(await inviteAnew(ann, eve), { status: 200 }, 'others have their own count')
  t.match(await as(ann, 'PUT', `/api/rooms/${roomId}/members/me`), { status: 200 }, 'they enter by themselves')
})

t.test('inviting, promoting or writing to a user leaves the inviter a stranger', async t => {
  const { register, invite, inviteAnew, makeRoom, as } = await start(t)
  const [ann, eve] = [await register('ann'), await register('eve')]
  const roomId = await makeRoom(eve)
  t.match(await invite(eve, roomId, ann, 'moderator'), { status: 200 })
  t.match(await as(eve, 'POST', '/api/messages', { receiverId: ann.id, content: 'hello' }), { status: 201 })
  t.match(await as(eve, 'POST', `/api/rooms/${roomId}/messages`, { content: 'hello' }), { status: 201 })
  t.match(await inviteAnew(eve, ann), { status: 200 })
  t.match(await inviteAnew(eve, ann), refused)
  await as(ann, 'DELETE', `/api/rooms/${roomId}/members/me`)
  t.match(await invite(eve, roomId, ann), refused, 'nor does leaving make room for the next')
})

t.test('an inviter is no stranger to a user who answers, reads or shares an active room with them', async t => {
  const { register, inviteAnew, makeRoom, as, fill } = await start(t)
  const ann = await register('ann')
  await fill(ann)
  const ways: Record<string, (eve: User) => Promise<unknown>> = {
    'an answer': async eve => {
      await as(eve, 'POST', '/api/messages', { receiverId: ann.id, content: 'hello' })
      t.match(await inviteAnew(eve, ann), refused)
      await as(ann, 'POST', '/api/messages', { receiverId: eve.id, content: 'hello' })
    },
    'reading a direct message': async eve => {
      const { message } = (await as(eve, 'POST', '/api/messages', { receiverId: ann.id, content: 'hello' })).body
      await as(ann, 'PATCH', `/api/conversations/${message.conversationId}/read`, { seq: message.seq })
    },
    'a room that the invited user opened': async eve => await as(eve, 'PUT', `/api/rooms/${await makeRoom(ann)}/members/me`),
    'a room in which the invited user read': async eve => {
      const roomId = await makeRoom(eve)
      await as(ann, 'PUT', `/api/rooms/${roomId}/members/me`)
      t.match(await inviteAnew(eve, ann), refused)
      const { message } = (await as(eve, 'POST', `/api/rooms/${roomId}/messages`, { content: 'hello' })).body
      await as(ann, 'PATCH', `/api/conversations/${message.conversationId}/read`, { seq: message.seq })
    }
  }
  for (const [way, meet] of Object.entries(ways)) {
    const eve = await register(`eve_${way.replaceAll(' ', '_')}`.slice(0, 30))
    t.match(await inviteAnew(eve, ann), refused)
    await meet(eve)
    t.match(await inviteAnew(eve, ann), { status: 200 }, way)
  }
  t.match(await inviteAnew(await register('root'), ann), { status: 200 }, 'an administrator')
})

t.test('only invitations that make a member are counted, also if many come at once', async t => {
  const { register, invite, inviteAnew, makeRoom, as } = await start(t)
  const [ann, bob, eve] = [await register('ann'), await register('bob'), await register('eve')]
  const roomId = await makeRoom(bob)
  for (let n = 0; n < 3; n++) {
    t.match(await invite(eve, roomId, ann), { status: 403 }, 'not theirs to invite into')
    t.match(await invite(eve, 'f'.repeat(24), ann), { status: 404 })
  }
  await as(ann, 'PUT', `/api/users/${eve.id}/block`)
  t.match(await inviteAnew(eve, ann), { status: 403 }, 'a block says more than a limit')
  await as(ann, 'DELETE', `/api/users/${eve.id}/block`)
  const rooms = await Promise.all([1, 2, 3, 4, 5].map(async () => await makeRoom(eve)))
  const answers = await Promise.all(rooms.map(async id => await invite(eve, id, ann)))
  t.same(answers.map(({ status }) => status).sort(), [200, 200, 429, 429, 429])
  const joined = rooms[answers.findIndex(({ status }) => status === 200)]!
  t.match(await invite(eve, joined, ann), { status: 200 }, 'said again it changes nothing')
})

t.test('0 turns the limit off', async t => {
  const { register, inviteAnew } = await start(t, { RATE_LIMIT_INVITATIONS: '0' })
  const [ann, eve] = [await register('ann'), await register('eve')]
  for (let n = 0; n < 25; n++) t.match(await inviteAnew(eve, ann), { status: 200 })
})
