import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { TypingThrottle } from '../../src/sockets/typing-throttle.ts'
import { startApp } from '../helpers/app.ts'
import { connect } from '../helpers/sockets.ts'

t.test('announcements of typing are limited per second, and the last one is true', async t => {
  fc.assert(fc.property(fc.array(fc.record({ wait: fc.nat(400), id: fc.constantFrom('a', 'b'), on: fc.boolean() }), { maxLength: 200 }), steps => {
    const throttle = new TypingThrottle()
    const passed = new Map<string, Array<{ at: number, on: boolean }>>()
    let now = 1_000_000
    for (const { wait, id, on } of steps) {
      now += wait
      const list = passed.get(id) ?? []
      passed.set(id, list)
      if (throttle.allows(id, on, now)) {
        if (!on) assert.equal(list.at(-1)?.on, true, 'only what was said can be taken back')
        list.push({ at: now, on })
      } else if (!on) {
        assert.notEqual(list.at(-1)?.on, true, 'that somebody stopped is always told')
      }
      assert.ok(list.filter(({ at }) => at > now - 1_000).length <= 10)
    }
  }), { numRuns: 300 })
  t.pass('300 random clients')
})

t.test('typing is announced again while it lasts', async t => {
  const throttle = new TypingThrottle()
  t.same([0, 500, 999, 1_000, 1_500, 2_000].map(now => throttle.allows('a', true, now)), [true, false, false, true, false, true])
})

t.test('announcements are limited over many conversations too', async t => {
  const throttle = new TypingThrottle()
  t.equal(Array.from({ length: 500 }, (_, index) => throttle.allows(String(index), true, 0)).filter(Boolean).length, 50)
  t.equal(throttle.allows('another', true, 1_000), true)
})

t.test('in a room and the common chat, typing reaches other subscribers except those who blocked the user', async t => {
  const { url, register, call } = await startApp(t)
  const people = await Promise.all(['ann', 'bob', 'eve', 'dan'].map(async name => await register(name)))
  const [typist, other, blocker, outsider] = await Promise.all(people.map(async ({ token }) => await connect(t, url, token)))
  const second = await connect(t, url, people[0]!.token)
  const { body: { room: { roomId } } } = await call('POST', '/api/rooms', { token: people[0]!.token, body: { name: 'a room' } })
  await call('PUT', `/api/users/${people[0]!.id}/block`, { token: people[2]!.token })
  for (const socket of [typist, second, other, blocker]) await Promise.all([socket!.ask('joinRoom', roomId), socket!.ask('joinCommonChat')])
  for (const conversationId of [`room_${roomId}`, 'common_chat']) {
    t.match(await typist!.ask('typing', { conversationId, on: true }), { success: true })
    t.same(await other!.wait('typing', payload => payload.conversationId === conversationId), { conversationId, userId: people[0]!.id, on: true })
  }
  t.match(await outsider!.ask('typing', { conversationId: `room_${roomId}`, on: true }), { success: false, code: 'NOT_ALLOWED' })
  t.match(await outsider!.ask('typing', { conversationId: 'common_chat', on: true }), { success: true }, 'who may send there may type there')
  await other!.wait('typing', ({ userId }) => userId === people[3]!.id)
  for (const socket of [second, blocker]) {
    await socket!.ask('setupUser')
    t.same(socket!.all('typing').filter(({ userId }) => userId === people[0]!.id), [])
  }
})

t.test('typing ends by a send over any transport, by a disconnect, and when it is not repeated', async t => {
  const { url, register, call } = await startApp(t)
  const [ann, bob] = [await register('ann'), await register('bob')]
  const [typist, other] = [await connect(t, url, ann.token), await connect(t, url, bob.token)]
  const conversationId = directId(ann.id, bob.id)
  const types = async (socket = typist) => { t.match(await socket.ask('typing', { conversationId, on: true }), { success: true }) }
  const told = async (count: number) => {
    await other.wait('typing', () => other.all('typing').length >= count)
    return other.all('typing').map(({ on }) => on)
  }
  await types()
  await typist.ask('sendDirectMessage', { receiverId: bob.id, content: 'sent' })
  t.same(await told(2), [true, false])

  const second = await connect(t, url, ann.token)
  await types(second)
  await call('POST', '/api/messages', { token: ann.token, body: { receiverId: bob.id, content: 'over REST' } })
  t.same(await told(4), [true, false, true, false])

  const third = await connect(t, url, ann.token)
  await types(third)
  third.socket.close()
  t.same((await told(6)).slice(4), [true, false])

  const fourth = await connect(t, url, ann.token)
  await types(fourth)
  t.same((await told(8)).slice(6), [true, false], 'not said again')
})
