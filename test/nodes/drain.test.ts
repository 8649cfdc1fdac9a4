import t from 'tap'
import { startCluster } from '../helpers/cluster.ts'
import type { ServerProcess } from '../helpers/process.ts'
import { noRedis } from '../helpers/redis.ts'
import { connect, connectLive } from '../helpers/sockets.ts'

t.test('a server that gets SIGTERM under load drains', { skip: noRedis }, async t => {
  const { servers, call, register } = await startCluster(t, 2, { environment: { DRAIN_SECONDS: '2' } })
  const [here, there] = servers as [ServerProcess, ServerProcess]
  const [ann, bob] = [await register('ann'), await register('bob')]
  const listener = await connectLive(t, there.url, bob.token)
  const senders = await Promise.all(Array.from({ length: 5 }, async () => await connect(t, here.url, ann.token)))

  const acknowledged: string[] = []
  const unanswered: string[] = []
  /** Sends one message after the other until the connection ends. */
  const load = Promise.all(senders.map(async ({ socket, gone, ask }, sender) => {
    for (let number = 0; socket.connected; number++) {
      const clientMessageId = `${sender}-${number}`
      const answer = ask('sendDirectMessage', { receiverId: bob.id, content: clientMessageId, clientMessageId })
      const { success } = await Promise.race([answer, gone.then(() => ({ success: undefined }))])
      if (success === true) acknowledged.push(clientMessageId)
      else unanswered.push(clientMessageId)
    }
  }))
  await listener.wait('directMessage')
  const ended = here.end('SIGTERM')

  for (const { wait } of senders) {
    const { reconnectAfterMs } = await wait('goingAway')
    t.ok(reconnectAfterMs >= 0 && reconnectAfterMs <= 2_000, 'each socket is told when to come back')
  }
  t.match(await call(here, 'GET', '/health/ready').catch(() => ({ status: 503 })), { status: 503 })
  for (const { gone } of senders) t.equal(await gone, 'transport close', 'a client of Socket.IO comes back after this')
  await load
  t.equal(await ended, 0)

  // What was not answered is sent again, to the other server.
  const again = await connect(t, there.url, ann.token)
  for (const clientMessageId of unanswered) {
    const sent = { receiverId: bob.id, content: clientMessageId, clientMessageId }
    t.match(await again.ask('sendDirectMessage', sent), { success: true })
  }
  const sent = [...acknowledged, ...unanswered]
  await again.ask('sendDirectMessage', { receiverId: bob.id, content: 'the last one' })
  await listener.wait('directMessage', ({ message }) => message === 'the last one')
  const texts = listener.all('directMessage').map(({ message }) => message as string)
  const heard = texts.filter(text => text !== 'the last one')
  t.same(heard.sort(), sent.sort(), 'each message came once, in spite of everything')
  const revs = listener.all('directMessage').map(({ rev }) => rev as number)
  t.same(revs, revs.map((_rev, index) => revs[0]! + index), 'in order and without a gap')
})
