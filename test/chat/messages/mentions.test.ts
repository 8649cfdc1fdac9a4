import t from 'tap'
import { commonChatId, directId } from '../../../src/chat/rules/conversation-id.ts'
import { startApp } from '../../helpers/app.ts'
import { connectLive } from '../../helpers/sockets.ts'

const { url, register, as } = await startApp(t, { RATE_LIMIT_SENDS: '0', ADMIN_USERS: 'root' })
type User = Awaited<ReturnType<typeof register>>
let made = 0
const someone = async () => await register(`person_${made++}`)
const say = async (from: User, conversationId: string, mentions?: object, more: object = {}) =>
  await as(from)('POST', '/messages', { conversationId, content: 'hello', ...mentions === undefined ? {} : { mentions }, ...more })
const room = async (owner: User, ...members: User[]) => {
  const { body: { room: { roomId, conversationId } } } = await as(owner)('POST', '/rooms', { name: 'A room' })
  for (const { id } of members) await as(owner)('PUT', `/rooms/${roomId}/members/${id}`, {})
  return { roomId, conversationId } as { roomId: string, conversationId: string }
}
/** What every way of asking says; they must agree. */
const mentionsOf = async (user: User, conversationId: string): Promise<number> => {
  const [{ body: list }, { body: synced }, { body: unread }] = await Promise.all([as(user)('GET', '/conversations?limit=100'), as(user)('POST', '/sync', { newest: 0 }), as(user)('GET', '/messages/unread-count')])
  const one = (conversations: Array<{ conversationId: string, mentionCount: number }>) => conversations.find(found => found.conversationId === conversationId)?.mentionCount ?? 0
  t.same([one(list.conversations), one(synced.conversations)], [unread.mentions[conversationId] ?? 0, unread.mentions[conversationId] ?? 0], 'list, sync and unread-count agree')
  t.equal(unread.mentionCount, Object.values(unread.mentions as Record<string, number>).reduce((sum, each) => sum + each, 0))
  return one(list.conversations)
}

t.test('a message mentions only users who may see it, in every form of the message', async t => {
  const [me, you, stranger] = [await someone(), await someone(), await someone()]
  const { conversationId } = await room(me, you)
  const socket = await connectLive(t, url, you.token)
  const { status, body: { message } } = await say(me, conversationId, { userIds: [you.id.toUpperCase(), stranger.id, me.id, you.id] })
  t.equal(status, 201)
  t.same(message.mentions, { userIds: [you.id], all: false })
  t.same((await socket.wait('roomMessage')).mentions, message.mentions)
  t.same((await as(you)('GET', `/conversations/${conversationId}/messages`)).body.messages[0].mentions, message.mentions)
  t.notHas((await say(me, conversationId)).body.message, { mentions: Object }, 'a message that mentions nobody says nothing of it')
  t.equal(await mentionsOf(you, conversationId), 1)
  t.equal(await mentionsOf(me, conversationId), 0)
})

t.test('an edit adds and removes mentions, a delete removes them, and reading clears their count', async t => {
  const [me, you] = [await someone(), await someone()]
  const { conversationId } = await room(me, you)
  const { body: { message } } = await say(me, conversationId)
  const edit = async (body: object) => (await as(me)('PUT', `/messages/${message._id}`, { content: 'hello', ...body })).body
  t.equal(await mentionsOf(you, conversationId), 0)
  t.match(await edit({ mentions: { userIds: [you.id] } }), { rev: message.rev + 1, message: { mentions: { userIds: [you.id] } } })
  t.equal(await mentionsOf(you, conversationId), 1)
  t.equal((await edit({ mentions: { userIds: [you.id] } })).rev, message.rev + 1, 'what is so already changes nothing')
  t.match(await edit({ content: 'other words' }), { message: { mentions: { userIds: [you.id] } } }, 'an edit that names no mentions keeps them')
  t.notHas((await edit({ mentions: null })).message, { mentions: Object })
  t.equal(await mentionsOf(you, conversationId), 0)
  await edit({ mentions: { userIds: [you.id] } })
  await say(me, conversationId, { userIds: [you.id] })
  t.equal(await mentionsOf(you, conversationId), 2)
  t.notHas((await as(me)('DELETE', `/messages/${message._id}`)).body.message, { mentions: Object })
  t.equal(await mentionsOf(you, conversationId), 1)
  await as(you)('PATCH', `/conversations/${conversationId}/read`, { seq: 100 })
  t.equal(await mentionsOf(you, conversationId), 0)
})

t.test('only leaders of a room and administrators can mention everybody', async t => {
  const [me, you, root] = [await someone(), await someone(), await register('root')]
  const { roomId, conversationId } = await room(me, you)
  t.match(await say(you, conversationId, { all: true }), { status: 403, body: { code: 'NOT_ALLOWED' } })
  t.match(await say(me, conversationId, { all: true, userIds: [you.id] }), { status: 201, body: { message: { mentions: { userIds: [you.id], all: true } } } })
  t.equal(await mentionsOf(you, conversationId), 1, 'once, however often one is mentioned in it')
  await as(me)('PUT', `/rooms/${roomId}/members/${you.id}`, { role: 'moderator' })
  t.match(await say(you, conversationId, { all: true }), { status: 201 })
  t.match(await say(me, commonChatId, { all: true }), { status: 403 })
  t.match(await say(root, commonChatId, { all: true }), { status: 201 })
  t.equal(await mentionsOf(me, commonChatId), 1, 'in the common chat mentions count from the own read position on')
  await as(me)('PATCH', `/conversations/${commonChatId}/read`, { seq: 100 })
  t.equal(await mentionsOf(me, commonChatId), 0)
})

t.test('mentions by blocked users do not count', async t => {
  const [me, you] = [await someone(), await someone()]
  const [{ conversationId }, direct] = [await room(me, you), directId(me.id, you.id)]
  await say(you, conversationId, { userIds: [me.id] })
  await say(you, direct, { userIds: [me.id] })
  t.same([await mentionsOf(me, conversationId), await mentionsOf(me, direct)], [1, 1])
  await as(me)('PUT', `/users/${you.id}/block`)
  t.same([await mentionsOf(me, conversationId), await mentionsOf(me, direct)], [0, 0])
  await as(me)('DELETE', `/users/${you.id}/block`)
  t.same([await mentionsOf(me, conversationId), await mentionsOf(me, direct)], [1, 1])
})

t.test('mentions are part of the body that a retry repeats, and more than 100 are said to be more', async t => {
  const [me, you] = [await someone(), await someone()]
  const { roomId, conversationId } = await room(me, you)
  const once = { clientMessageId: 'c1' }
  const { body: { message } } = await say(me, conversationId, { userIds: [you.id] }, once)
  await as(me)('DELETE', `/rooms/${roomId}/members/${you.id}`)
  t.match(await say(me, conversationId, { userIds: [you.id.toUpperCase()] }, once), { status: 200, body: { duplicate: true, message: { _id: message._id } } }, 'though they are no member any more')
  t.match(await say(me, conversationId, undefined, once), { status: 409, body: { code: 'IDEMPOTENCY_MISMATCH' } })
  await as(me)('PUT', `/rooms/${roomId}/members/${you.id}`, {})
  await Promise.all(Array.from({ length: 100 }, async () => await say(me, conversationId, { all: true })))
  t.equal(await mentionsOf(you, conversationId), 100)
  const capped = async () => {
    const { body: list } = await as(you)('GET', '/conversations')
    const { body: synced } = await as(you)('POST', '/sync', { newest: 0 })
    const { body: unread } = await as(you)('GET', '/messages/unread-count')
    const own = [...list.conversations, ...synced.conversations].filter(one => one.conversationId === conversationId)
    return [...own, unread].map(one => one.mentionCountCapped)
  }
  t.same(await capped(), [undefined, undefined, undefined], 'as many are counted exactly')
  await say(me, conversationId, { all: true })
  t.equal(await mentionsOf(you, conversationId), 100)
  t.same(await capped(), [true, true, true], 'one more is not, and list, sync and unread-count say so')
  t.match(await say(me, conversationId, { userIds: Array(51).fill(you.id) }), { status: 400 })
})
