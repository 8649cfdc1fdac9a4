import t from 'tap'
import { buildApp } from '../../app.ts'
import { readConfig } from '../../src/config.ts'
import { startApp } from '../helpers/app.ts'
import { connect } from '../helpers/sockets.ts'

t.test('closing tells sockets of every transport and namespace, and does not hang', async t => {
  const { app, url, register } = await startApp(t)
  app.io.of('/custom').on('connection', () => {})
  const ann = await register('ann')
  const sockets = await Promise.all([
    connect(t, url, ann.token),
    connect(t, url, ann.token, { transports: ['polling'] }),
    connect(t, url, ann.token, { transports: ['polling', 'websocket'] }),
    connect(t, `${url}/custom`, undefined),
    connect(t, `${url}/custom`, undefined, { transports: ['polling'] })
  ])
  // A connection that never joined any namespace. Socket.IO's timer for such ones outlives them: let it be short.
  app.io.connectTimeout(1_000)
  t.equal((await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).status, 200)
  await app.close()
  t.same(await Promise.all(sockets.map(({ gone }) => gone)), sockets.map(() => 'io server disconnect'))
  await t.rejects(fetch(url))
})

t.test('operations accepted before the end are answered before the end and stored', async t => {
  const { app, url, register } = await startApp(t)
  const [ann, bob] = [await register('ann'), await register('bob')]
  const socket = await connect(t, url, ann.token)
  const order: string[] = []
  socket.socket.on('disconnect', () => { order.push('disconnect') })
  const answers = Promise.all(Array.from({ length: 100 }, (_, index) => new Promise(resolve => {
    socket.socket.emit('sendDirectMessage', { receiverId: bob.id, content: String(index) }, (answer: unknown) => {
      order.push('answer')
      resolve(answer)
    })
  })))
  // Behind the others: once it is answered, they have arrived.
  await socket.ask('joinCommonChat')
  await app.close()
  for (const answer of await answers) t.match(answer, { success: true })
  t.same(order, [...Array.from({ length: 100 }, () => 'answer'), 'disconnect'])
})

t.test('an app that never listened can be closed', async t => {
  const app = await buildApp(readConfig({ DATA_DIR: t.testdir(), LOG_LEVEL: 'silent' }))
  await app.ready()
  await app.close()
  t.ok(app.pendingRequests.closing)
})
