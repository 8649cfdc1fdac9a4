import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { HiddenMessages } from '../../../src/chat/directories/hidden-messages.ts'
import { seqOf } from '../../../src/log/model/types.ts'
import { startApp } from '../../helpers/app.ts'
import { holdCommit } from '../../helpers/commits.ts'
import { startNodes } from '../../helpers/nodes.ts'
import { watchReads } from '../../helpers/reads.ts'

const message = (conversationId: string, seq: number) => ({ conversationId, seq: seqOf(seq) })

t.test('a message costs no database read unless somebody has hidden it or a later one', async t => {
  const { app, call, register } = await startApp(t, { SEARCH: 'off' })
  const [ann, bob] = [await register('ann'), await register('bob')]
  const { hidden, log: { collections } } = app.chat
  const body = { receiverId: ann.id, content: 'x' }
  const say = async () => await call('POST', '/api/messages', { token: bob.token, body })
  const { body: { message: { conversationId } } } = await say()
  for (let n = 0; n < 4; n++) await say()
  const change = async (body: object) =>
    await call('PATCH', `/api/conversations/${conversationId}`, { token: ann.token, body })
  const reads = watchReads(t, collections)
  const found = async (seq: number) => {
    reads.splice(0)
    return { users: await hidden.usersHiding(message(conversationId, seq)), reads: reads.length }
  }
  t.same(await found(5), { users: [], reads: 2 })
  t.same(await found(1), { users: [], reads: 0 })
  await change({ hideSeqs: [2] })
  t.same(await found(3), { users: [], reads: 0 })
  t.same(await found(2), { users: [ann.id], reads: 2 })
  t.same(await found(1), { users: [], reads: 2 })
  await change({ clearThroughSeq: 4 })
  t.same(await found(1), { users: [ann.id], reads: 2 })
  t.same(await found(5), { users: [], reads: 0 })

  const late = new HiddenMessages(app.chat.log)
  t.same(await late.usersHiding(message(conversationId, 5)), [])
  t.same(await late.usersHiding(message(conversationId, 4)), [ann.id], 'what was hidden before is read')

  const { isApplied, acknowledge } = holdCommit(t, app.mongo.client)
  const clearing = change({ clearThroughSeq: 5 })
  await isApplied
  t.same((await found(5)).users, [], 'it is not committed for this process yet')
  acknowledge()
  await clearing
  t.same((await found(5)).users, [ann.id])
})

const step = fc.record({
  by: fc.nat(1),
  node: fc.nat(1),
  how: fc.constantFrom('clear', 'hide', 'look', 'look'),
  seq: fc.integer({ min: 1, max: 6 })
})

t.test('on two servers too, it finds exactly the users whose settings hide the message', { timeout: 0 }, async t => {
  const { nodes, call, register } = await startNodes(t, 2)
  const users = [await register('ann'), await register('bob')]
  const [ann, bob] = users as [typeof users[0], typeof users[0]]
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
    const { body: { room: { roomId } } } = await call(nodes[0]!, 'POST', '/api/rooms', ann!.token, { name: 'a room' })
    await call(nodes[0]!, 'PUT', `/api/rooms/${roomId}/members/me`, bob!.token)
    for (let n = 0; n < 6; n++) await call(nodes[0]!, 'POST', '/api/messages', ann!.token, { roomId, content: 'x' })
    const conversationId = `room_${roomId}`
    const hides = new Map(users.map(({ id }) => [id, new Set<number>()]))
    for (const { by, node, how, seq } of steps) {
      const { token, id } = users[by]!
      if (how === 'look') {
        const expected = users.flatMap(({ id }) => hides.get(id)!.has(seq) ? [id] : [])
        const found = await nodes[node]!.app.chat.hidden.usersHiding(message(conversationId, seq))
        assert.deepEqual(found.sort(), expected.sort())
        continue
      }
      for (let n = how === 'hide' ? seq : 1; n <= seq; n++) hides.get(id)!.add(n)
      const settings = how === 'hide' ? { hideSeqs: [seq] } : { clearThroughSeq: seq }
      await call(nodes[node]!, 'PATCH', `/api/conversations/${conversationId}`, token, settings)
    }
  }), { numRuns: 10, endOnFailure: true })
  t.pass('10 random histories')
})
