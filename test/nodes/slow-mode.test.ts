import { ObjectId } from 'mongodb'
import t from 'tap'
import { startNodes } from '../helpers/nodes.ts'

const { nodes, call, register } = await startNodes(t, 2)
const [first, second] = [nodes[0]!, nodes[1]!]
const [ann, bob] = [await register('ann'), await register('bob')]
const rounds = 10

// A send in slow mode writes when the member last sent, a read writes how far they have read: both into one row.
t.test('of sends and reads of a member at two nodes in slow mode, one send and the furthest read stay', async t => {
  for (let round = 0; round < rounds; round++) {
    const { body: { room } } = await call(first, 'POST', '/api/rooms', ann.token, { name: 'slow', slowModeS: 600 })
    const { roomId, conversationId } = room as { roomId: string, conversationId: string }
    await call(first, 'PUT', `/api/rooms/${roomId}/members/me`, bob.token, {})
    const say = async (at: typeof first, token: string, content: string) =>
      await call(at, 'POST', `/api/rooms/${roomId}/messages`, token, { content })
    for (let n = 1; n <= 3; n++) await say(n % 2 === 0 ? first : second, ann.token, `${n}`)
    const read = async (at: typeof first, seq: number) =>
      await call(at, 'PATCH', `/api/conversations/${conversationId}/read`, bob.token, { seq })
    const [sends, reads] = await Promise.all([
      Promise.all([first, second, first, second].map(async (at, n) => await say(at, bob.token, `by bob ${n}`))),
      Promise.all([read(second, 2), read(first, 3), read(second, 1)])
    ])
    t.strictSame(reads.map(({ status }) => status), [200, 200, 200])
    const refused = sends.filter(({ status }) => status !== 201)
    t.equal(refused.length, 3)
    t.ok(refused.every(({ status, body }) => status === 429 && body.code === 'SLOW_MODE'))
    const sent = sends.find(({ status }) => status === 201)!.body.message
    const { members } = first.app.chat.log.collections
    const member = await members.findOne({ conversationId, userId: new ObjectId(bob.id) })
    t.equal(member?.sentAt?.toISOString(), sent.createdAt ?? sent.timestamp)
    for (const at of [first, second]) {
      const { body } = await call(at, 'GET', `/api/conversations/${conversationId}`, bob.token)
      t.equal(body.conversation.unreadCount, 0)
      t.match(await say(at, bob.token, 'too early'), { status: 429, body: { code: 'SLOW_MODE' } })
    }
  }
})
