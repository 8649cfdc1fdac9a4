import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import t from 'tap'
import { startNodes, type TestNode } from '../helpers/nodes.ts'
import { connect } from '../helpers/sockets.ts'
import { startDatabaseProxy } from '../helpers/tcp-proxy.ts'

t.test('a server without its database does no harm to its clients or to another server', async t => {
  const engine = await startEmbeddedMongo({ inMemory: true, port: 0 })
  t.teardown(() => engine.stop())
  const proxy = await startDatabaseProxy(t, engine.uri)
  const urls = [engine.uri, proxy.url]
  const { nodes, call, register } = await startNodes(t, 2, index => ({ MONGODB_URL: urls[index]! }))
  // Runs before the nodes are closed, which wait for the database.
  t.teardown(() => { proxy.resume() })
  const [here, there] = nodes as [TestNode, TestNode]
  const [ann, bob] = [await register('ann'), await register('bob')]
  const [one, two] = [await connect(t, here.url, ann.token), await connect(t, there.url, bob.token)]
  await two.ask('setupUser', { live: true })
  const send = async (socket: typeof one, receiverId: string, clientMessageId: string) =>
    await socket.ask('sendDirectMessage', { receiverId, content: clientMessageId, clientMessageId })
  await send(one, bob.id, 'before')
  await two.wait('directMessage')

  proxy.hang()
  t.match(await send(one, bob.id, 'by the other server'), { success: true })
  t.match(await send(two, ann.id, 'not known'), { success: false, code: 'UNAVAILABLE', retryable: true })
  t.match(await call(there, 'GET', '/health/ready'), { status: 503 })
  proxy.resume()
  // The first try may have been stored: the second one finds out.
  let answer = await send(two, ann.id, 'not known')
  while (answer.success === false && answer.retryable === true) answer = await send(two, ann.id, 'not known')
  t.match(answer, { success: true })

  await send(one, bob.id, 'the last one')
  await two.wait('directMessage', ({ message }) => message === 'the last one')
  const ours = two.events.filter(({ payload }) => payload?.conversationId?.startsWith('dm_') === true)
  const revs = ours.map(({ payload }) => payload.rev as number)
  t.same(revs, [...new Set(revs)].sort((a, b) => a - b), 'in order, once each')
  const texts = two.all('directMessage').map(({ message }) => message as string)
  t.same(texts, ['before', 'by the other server', 'not known', 'the last one'])
})
