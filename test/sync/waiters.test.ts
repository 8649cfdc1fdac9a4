import { request } from 'node:http'
import t from 'tap'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { markRead } from '../../src/chat/conversations/mark-read.ts'
import { setMemberRole } from '../../src/chat/rooms/room-members.ts'
import { createRoom } from '../../src/chat/rooms/room.ts'
import { sendTo } from '../../src/chat/messages/send-to.ts'
import { sendRoom } from '../../src/chat/messages/send-room.ts'
import type { SyncBody } from '../../src/schemas/sync.ts'
import { type WakeReason, LongPolls } from '../../src/sync/waiters.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { cursorsOf } from '../helpers/follower.ts'
import { type TestPerson, catchUp, newPerson, syncOnce } from '../helpers/people.ts'
import { connect } from '../helpers/sockets.ts'

const longMs = 25_000

/** Settles when so many calls wait. */
async function untilWaiting ({ app }: TestApp, count: number): Promise<void> {
  while (app.sync.longPolls.size !== count) await new Promise(resolve => setImmediate(resolve))
}

t.test('long polling', async t => {
  const test = await startApp(t)
  const { app, url, call } = test
  const { chat } = app
  const [a, b] = [await newPerson(test), await newPerson(test)]
  await sendTo(chat, a.identity, { receiverId: b.id, content: 'first' })
  const { roomId } = await createRoom(chat, b.identity, { name: 'Room' })

  /** A call that waits; its answer is wrapped, or it would be waited for. */
  const waiting = async (who: TestPerson, cursors: Record<string, string>): Promise<{ answer: Promise<SyncBody> }> => {
    const before = app.sync.longPolls.size
    const answer = syncOnce(test, who, { cursors, waitMs: longMs })
    await untilWaiting(test, before + 1)
    return { answer }
  }
  const wakes = async (who: TestPerson, change: () => Promise<unknown>): Promise<SyncBody> => {
    const { answer } = await waiting(who, cursorsOf(await catchUp(test, who)))
    await change()
    return await answer
  }

  await t.test('is answered at once if there are changes', async t => {
    t.ok((await syncOnce(test, a, { waitMs: longMs })).conversations.length > 0)
  })

  await t.test('is woken by a message over any transport, by a read position and by an invitation', async t => {
    const socket = await connect(t, url, b.token)
    const id = directId(a.id, b.id)
    t.match((await wakes(a, async () => await call('POST', '/api/messages', { token: b.token, body: { receiverId: a.id, content: 'REST' } }))).conversations, [{ changes: [{ message: { message: 'REST' } }] }])
    t.match((await wakes(a, async () => await socket.ask('sendDirectMessage', { receiverId: a.id, content: 'socket' }))).conversations, [{ changes: [{ message: { message: 'socket' } }] }])
    t.match((await wakes(a, async () => await socket.ask('push', { operations: [{ opId: '1', type: 'send', receiverId: a.id, content: 'push' }] }))).conversations, [{ changes: [{ message: { message: 'push' } }] }])
    t.match((await wakes(a, async () => await markRead(chat, b.identity, { conversationId: id, seq: 1 }))).conversations, [{ conversationId: id, changes: [], reads: [{ userId: b.id, seq: 1 }] }])
    t.match((await wakes(a, async () => await setMemberRole(chat, b.identity, roomId, a.id, 'member'))).conversations, [{ conversationId: 'self' }, { kind: 'room' }])
    t.match((await wakes(a, async () => await sendRoom(chat, b.identity, { roomId, content: 'room' }))).conversations, [{ kind: 'room', changes: [{ message: { message: 'room' } }] }])
    t.match((await wakes(a, async () => await call('POST', '/api/common-chat/message', { token: b.token, body: { content: 'all' } }))).conversations, [{ kind: 'common' }])
    t.equal(app.sync.longPolls.size, 0)
  })

  await t.test('is not woken by changes that do not concern the user', async t => {
    const { answer } = await waiting(a, cursorsOf(await catchUp(test, a)))
    const c = await newPerson(test)
    await sendTo(chat, c.identity, { receiverId: b.id, content: 'not for you' })
    await sendTo(chat, b.identity, { receiverId: a.id, content: 'for you' })
    t.match((await answer).conversations, [{ changes: [{ message: { message: 'for you' } }] }])
  })

  await t.test('gets an empty answer when the time is over', async t => {
    const cursors = cursorsOf(await catchUp(test, a))
    t.match(await syncOnce(test, a, { cursors, waitMs: 20 }), { success: true, conversations: { length: 0 }, hasMore: false })
    t.equal(app.sync.longPolls.size, 0)
  })

  await t.test('keeps nothing for a client that has disconnected', async () => {
    const cursors = cursorsOf(await catchUp(test, a))
    const gone = request(`${url}/api/sync`, { method: 'POST', headers: { authorization: `Bearer ${a.token}`, 'content-type': 'application/json' } })
    gone.on('error', () => {})
    gone.end(JSON.stringify({ cursors, waitMs: longMs }))
    await untilWaiting(test, 1)
    gone.destroy()
    await untilWaiting(test, 0)
  })

  await t.test('is answered early if it is the oldest of too many of one user', async t => {
    const cursors = cursorsOf(await catchUp(test, a))
    const { answer: oldest } = await waiting(a, cursors)
    const others: Array<Promise<SyncBody>> = []
    for (let count = 2; count <= 4; count++) others.push((await waiting(a, cursors)).answer)
    const fifth = syncOnce(test, a, { cursors, waitMs: longMs })
    t.match(await oldest, { conversations: { length: 0 } })
    await untilWaiting(test, 4)
    await sendTo(chat, b.identity, { receiverId: a.id, content: 'x' })
    for (const answer of [...others, fifth]) t.match((await answer).conversations, [{ changes: [{ message: { message: 'x' } }] }])
  })
})

t.test('is answered when the server closes', async t => {
  const test = await startApp(t)
  const a = await newPerson(test)
  const answer = syncOnce(test, a, { waitMs: longMs })
  await untilWaiting(test, 1)
  const closed = test.app.close()
  t.match(await answer, { success: true, conversations: { length: 0 } })
  await closed
})

t.test('is refused above the limit of all users', async t => {
  const waiters = new LongPolls({ max: 2 })
  const first = waiters.register('a', [])
  waiters.register('b', [])
  t.throws(() => waiters.register('c', []), { code: 'OVERLOADED' })
  first.release()
  first.release()
  t.equal(waiters.size, 1)
  waiters.register('c', [])
})

t.test('does not miss a change between registering and waiting', async t => {
  const waiters = new LongPolls()
  const waiter = waiters.register('a', ['room_x'])
  const row = { conversationId: 'room_x' }
  waiters.wake({ rows: [{ row, isNew: true }], reads: [], heads: [], members: [] } as never)
  t.equal(await waiter.wait(longMs) satisfies WakeReason, 'change')
  const woken = waiter.wait(longMs)
  waiters.close()
  t.equal(await woken, 'end')
  t.equal(await waiters.register('b', []).wait(longMs), 'end', 'from then on too')
})
