import t from 'tap'
import { newClient } from '../../src/nodes/redis-client.ts'
import { startNodes, type TestNode, type TestNodes } from '../helpers/nodes.ts'
import { noRedis, startRedis } from '../helpers/redis.ts'
import { cursorsIn } from '../helpers/people.ts'
import { connect, connectLive } from '../helpers/sockets.ts'

/** Asks until a node says this of its link. */
async function linkIs (call: TestNodes['call'], node: TestNode, link: 'up' | 'down'): Promise<void> {
  for (;;) {
    const { status, body } = await call(node, 'GET', '/health/ready')
    if (status !== 200) throw new Error(`a node is not ready: ${JSON.stringify(body)}`)
    if (body.link === link) return
    await new Promise(resolve => { setTimeout(resolve, 50) })
  }
}

t.test('nodes that a Redis links', { skip: noRedis }, async t => {
  const redis = await startRedis(t)
  const { nodes, call, register } = await startNodes(t, 2, () => ({ REDIS_URL: redis.url }))
  const [here, there] = nodes as [TestNode, TestNode]
  const [ann, bob] = [await register('ann'), await register('bob')]
  await Promise.all(nodes.map(async node => { await linkIs(call, node, 'up') }))

  t.test('a node has one id, in its lease and in the heads that it reserves', async t => {
    const client = newClient(redis.url, 5_000, () => {})
    await client.connect()
    t.teardown(() => { client.destroy() })
    const leases = (await client.keys('tidelog:*:node:*')).map(key => key.split(':').at(-1))
    t.same(new Set(leases), new Set([here.app.nodes.id, there.app.nodes.id]))
    t.same([here.app.chat.log.nodeId, there.app.chat.log.nodeId], [here.app.nodes.id, there.app.nodes.id])
  })

  t.test('a message committed on one node comes live on the other, also to a socket that only connected', async t => {
    const one = await connect(t, here.url, ann.token)
    const [two, plain] = [await connect(t, there.url, bob.token), await connect(t, there.url, bob.token)]
    await two.ask('setupUser', { live: true })
    await one.ask('sendDirectMessage', { receiverId: bob.id, content: 'hello' })
    for (const socket of [two, plain]) t.match(await socket.wait('directMessage'), { message: 'hello' })
    t.notOk(two.events.some(({ name }) => name === 'heads'), 'the message itself came, not a heartbeat that found it')
  })

  t.test('a user who is invited on one node gets the room live on the other', async t => {
    const two = await connectLive(t, there.url, bob.token)
    const { body } = await call(here, 'POST', '/api/rooms', ann.token, { name: 'x', isPrivate: true })
    const { roomId } = body.room
    await call(here, 'PUT', `/api/rooms/${roomId}/members/${bob.id}`, ann.token)
    await call(here, 'POST', `/api/rooms/${roomId}/messages`, ann.token, { content: 'welcome' })
    t.match(await two.wait('roomMessage'), { message: 'welcome' })
  })

  t.test('a commit on one node wakes a long poll on the other', async t => {
    const cursors = cursorsIn((await call(there, 'POST', '/api/sync', bob.token, { cursors: {} })).body)
    let wakes = 0
    const { longPolls } = there.app.sync
    const { wake } = longPolls
    longPolls.wake = committed => {
      wakes++
      wake.call(longPolls, committed)
    }
    t.teardown(() => { longPolls.wake = wake })
    const poll = call(there, 'POST', '/api/sync', bob.token, { cursors, waitMs: 25_000 })
    while (longPolls.size === 0) await new Promise(resolve => { setImmediate(resolve) })
    await call(here, 'POST', '/api/messages', ann.token, { receiverId: bob.id, content: 'wake up' })
    const { body } = await poll
    t.match(body.conversations, [{ changes: [{ message: { message: 'wake up' } }] }])
    t.ok(wakes > 0, 'the commit was heard')
  })

  t.test('typing in a direct conversation crosses nodes', async t => {
    const [one, two] = await Promise.all([connect(t, here.url, ann.token), connect(t, there.url, bob.token)])
    const { message } = await one.ask('sendDirectMessage', { receiverId: bob.id, content: 'I am writing' })
    const conversationId = message.conversationId as string
    await one.ask('typing', { conversationId, on: true })
    t.match(await two.wait('typing'), { conversationId, userId: ann.id, on: true })
  })

  t.test('sends are acknowledged while Redis is down, and afterwards every missed event is delivered', async t => {
    const [one, two] = await Promise.all([connect(t, here.url, ann.token), connect(t, there.url, bob.token)])
    await two.ask('setupUser', { live: true })
    // The look after the link is up goes by the same method as a heartbeat, which these nodes make when asked only.
    there.app.live.beat = there.beat
    await redis.kill()
    await Promise.all(nodes.map(async node => { await linkIs(call, node, 'down') }))
    t.match(await one.ask('sendDirectMessage', { receiverId: bob.id, content: 'unheard' }), { success: true })
    await redis.restart()
    t.match(await two.wait('directMessage'), { message: 'unheard' })
    await Promise.all(nodes.map(async node => { await linkIs(call, node, 'up') }))
    await one.ask('sendDirectMessage', { receiverId: bob.id, content: 'heard' })
    t.match(await two.wait('directMessage', ({ message }) => message === 'heard'), { message: 'heard' })
  })
})
