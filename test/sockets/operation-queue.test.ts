import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import t from 'tap'
import { directId } from '../../src/chat/rules/conversation-id.ts'
import { OperationQueue } from '../../src/sockets/operation-queue.ts'
import { startApp } from '../helpers/app.ts'
import { connect } from '../helpers/sockets.ts'

const { app, url, register, call } = await startApp(t)
const [ann, bob] = [await register('ann'), await register('bob')]

t.test('commits start in the order of the calls, however long each preparation takes', async t => {
  await fc.assert(fc.asyncProperty(fc.array(fc.record({ hops: fc.nat(8), fails: fc.boolean(), commitHops: fc.nat(8) }), { maxLength: 20 }), async operations => {
    const turns = new OperationQueue()
    const started: number[] = []
    const hop = async (count: number) => { for (let i = 0; i < count; i++) await new Promise(resolve => { setImmediate(resolve) }) }
    const results = await Promise.allSettled(operations.map(({ hops, fails, commitHops }, index) => turns.run(async () => {
      await hop(hops)
      if (fails) throw new Error(String(index))
      return async () => {
        started.push(index)
        await hop(commitHops)
        return index
      }
    })))
    assert.deepEqual(started, operations.flatMap(({ fails }, index) => fails ? [] : [index]))
    assert.deepEqual(results.map(result => result.status === 'fulfilled' ? result.value : Number((result.reason as Error).message)), operations.map((_, index) => index))
  }), { numRuns: 50 })
  t.pass('50 random schedules')
})

t.test('a waiting commit delays no later preparation', async t => {
  const turns = new OperationQueue()
  let release = () => {}
  const held = turns.run(async () => () => new Promise<string>(resolve => { release = () => { resolve('first') } }))
  t.equal(await turns.run(async () => async () => 'second'), 'second')
  release()
  t.equal(await held, 'first')
})

t.test('what one connection sends without waiting is stored, acknowledged and delivered in order', async t => {
  const [sender, receiver] = await Promise.all([connect(t, url, ann.token), connect(t, url, bob.token)])
  const parent = (await sender.ask('sendDirectMessage', { receiverId: bob.id, content: 'parent' })).message._id
  app.chat.users.announceChange(bob.id)
  const count = 300
  const acked: number[] = []
  const answers = await Promise.all(Array.from({ length: count }, async (_, index) => {
    // Some need a read before they can commit, some do not.
    const detour = index % 7 === 0 ? { replyTo: parent } : index % 11 === 0 ? { listingId: new ObjectId().toHexString() } : {}
    if (index % 50 === 0) app.chat.blocks.forget(bob.id)
    const answer = await sender.ask('sendDirectMessage', { receiverId: bob.id, content: `n ${index}`, ...detour })
    acked.push(index)
    return answer
  }))
  const seqs = answers.map(({ message }) => message.seq)
  t.same(seqs, seqs.map((_, index) => seqs[0] + index), 'seqs are consecutive in the order of sending')
  t.same(acked, seqs.map((_, index) => index))
  await receiver.wait('directMessage', ({ message }) => message === `n ${count - 1}`)
  const heard = receiver.all('directMessage').map(({ rev }) => rev)
  t.same(heard, [...heard].sort((a, b) => a - b))
  t.equal(new Set(heard).size, heard.length)
  t.equal(heard.length, count + 1)
})

t.test('a clientMessageId is one message over sockets and REST, however often and concurrently it is sent', async t => {
  const [one, two, receiver] = await Promise.all([connect(t, url, ann.token), connect(t, url, ann.token), connect(t, url, bob.token)])
  const body = { receiverId: bob.id, content: 'once only', clientMessageId: 'c-1' }
  const answers = await Promise.all([
    one.ask('sendDirectMessage', body), two.ask('sendDirectMessage', body), one.ask('sendDirectMessage', body),
    ...[1, 2, 3].map(async () => (await call('POST', '/api/messages', { token: ann.token, body })).body)
  ])
  t.same(new Set(answers.map(({ message }) => message._id)).size, 1)
  t.equal(answers.filter(({ duplicate }) => duplicate !== true).length, 1)
  for (const answer of answers) t.match(answer, { success: true, message: { clientMessageId: 'c-1', message: 'once only' } })
  const later = await call('POST', '/api/messages', { token: ann.token, body })
  t.equal(later.status, 200)
  t.match(later.body, { success: true, duplicate: true, message: { _id: answers[0].message._id } })

  t.match(await one.ask('sendDirectMessage', { ...body, content: 'another' }), { success: false, code: 'IDEMPOTENCY_MISMATCH', retryable: false })
  t.equal((await call('POST', '/api/messages', { token: ann.token, body: { ...body, messageType: 'image' } })).status, 409)
  one.socket.emit('sendDirectMessage', body)
  await one.wait('directMessage', () => one.all('directMessage').filter(({ clientMessageId }) => clientMessageId === 'c-1').length === 2)
  await receiver.ask('setupUser')
  t.equal(receiver.all('directMessage').filter(({ clientMessageId }) => clientMessageId === 'c-1').length, 1)
  const conversationId = directId(ann.id, bob.id)
  t.equal(await app.chat.log.collections.rows.countDocuments({ conversationId, clientMessageId: 'c-1' }), 1)

  const edited = await one.ask('editMessage', { messageId: answers[0].message._id, content: 'edited since' })
  t.match(await one.ask('sendDirectMessage', body), { success: true, duplicate: true, message: { message: 'edited since', rev: edited.rev } }, 'a late retry gets the message as it is now')
})

t.test('the same clientMessageId by another sender or in another conversation is another message', async t => {
  const [one, two] = await Promise.all([connect(t, url, ann.token), connect(t, url, bob.token)])
  await one.ask('joinRoom', 'ids')
  const answers = [
    await one.ask('sendDirectMessage', { receiverId: bob.id, content: 'x', clientMessageId: 'shared' }),
    await two.ask('sendDirectMessage', { receiverId: ann.id, content: 'x', clientMessageId: 'shared' }),
    await one.ask('sendCommonChatMessage', { content: 'x', clientMessageId: 'shared' }),
    await one.ask('sendRoomMessage', { roomId: 'ids', content: 'x', clientMessageId: 'shared' })
  ]
  t.equal(new Set(answers.map(({ message }) => message._id)).size, 4)
  t.ok(answers.every(({ duplicate }) => duplicate === undefined))
})

t.test('an edit that names an older rev conflicts with the stored message, unless both are equal', async t => {
  const socket = await connect(t, url, ann.token)
  const { message } = await socket.ask('sendDirectMessage', { receiverId: bob.id, content: 'v1' })
  const edited = await socket.ask('editMessage', { messageId: message._id, content: 'v2', expectedRev: message.rev })
  t.match(edited, { success: true, rev: message.rev + 1 })
  t.match(await socket.ask('editMessage', { messageId: message._id, content: 'v2', expectedRev: message.rev }), { success: true, rev: edited.rev })
  t.match(await socket.ask('editMessage', { messageId: message._id, content: 'v3', expectedRev: message.rev }), {
    success: false, code: 'CONFLICT', current: { _id: message._id, message: 'v2', rev: edited.rev }
  })
  const overRest = await call('PUT', `/api/messages/${message._id}`, { token: ann.token, body: { content: 'v3', expectedRev: message.rev } })
  t.equal(overRest.status, 409)
  t.match(overRest.body, { code: 'CONFLICT', current: { message: 'v2', rev: edited.rev } })
})
