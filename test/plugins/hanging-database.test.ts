import { once } from 'node:events'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { runServer } from '../helpers/process.ts'
import { connect } from '../helpers/sockets.ts'
import { startDatabaseProxy } from '../helpers/tcp-proxy.ts'

t.test('a database that accepts connections and never answers', async t => {
  const engine = await startEmbeddedMongo({ inMemory: true, port: 0 })
  t.teardown(() => engine.stop())
  const proxy = await startDatabaseProxy(t, engine.uri)
  const { app, call, register, url } = await startApp(t, { MONGODB_URL: proxy.url, JWT_SECRET: 'a secret of this test' })
  // Runs before the app is closed, which waits for the database.
  t.teardown(() => { proxy.resume() })
  const [ada, bob] = [await register('ada'), await register('bob')]
  const { ask } = await connect(t, url, ada.token)
  const send = (clientMessageId: string) =>
    call('POST', '/api/messages', { token: ada.token, body: { receiverId: bob.id, content: 'hello', clientMessageId } })
  t.equal((await send('before')).status, 201)
  const unavailable = { status: 503, body: { success: false, code: 'UNAVAILABLE', retryable: true } }

  proxy.hang()
  const beganAt = Date.now()
  const timed = async <T>(name: string, work: Promise<T>): Promise<T> => await work.finally(() => { t.comment(`${name}: ${Date.now() - beganAt} ms`) })
  const [ready, first, second, overSocket, list] = await Promise.all([
    timed('ready', call('GET', '/health/ready')),
    timed('send', send('hanging')),
    timed('send that waits for the first', send('behind it')),
    timed('send over a socket', ask('sendDirectMessage', { receiverId: bob.id, content: 'hello', clientMessageId: 'socket' })),
    timed('read', call('GET', '/api/messages/conversations', { token: ada.token }))
  ])
  t.match(ready, unavailable, 'readiness')
  t.match(first, unavailable, 'a send')
  t.match(second, unavailable, 'a send that waited for the first')
  t.match(overSocket, unavailable.body, 'a send over a socket')
  t.match(list, unavailable, 'a read')
  t.match(await send('later'), unavailable, 'a send after the connections were given up')
  t.match(await call('GET', '/health/live'), { status: 200 })

  proxy.resume()
  let again = await send('hanging')
  while (again.status === 503) again = await send('hanging')
  t.match(again.body, { success: true, message: { clientMessageId: 'hanging' } })
  const { body } = await call('GET', `/api/messages/${bob.id}`, { token: ada.token })
  t.equal((body.messages as Array<{ clientMessageId: string }>).filter(({ clientMessageId }) => clientMessageId === 'hanging').length, 1, 'stored once')
  t.match(await call('GET', '/health/ready'), { status: 200 })
  // A read is tried twice, each time as long as an answer may take; then no server is left to choose.
  const { socketTimeoutMS, connectTimeoutMS, serverSelectionTimeoutMS, waitQueueTimeoutMS } = app.mongo.client.options
  t.ok(socketTimeoutMS! > 0 && socketTimeoutMS! + Math.max(socketTimeoutMS!, connectTimeoutMS, serverSelectionTimeoutMS, waitQueueTimeoutMS!) < 10_000)
})

t.test('a missing database is reported at start by its variable\'s name, without secrets', async t => {
  const MONGODB_URL = 'mongodb://ada:hunter%2F2@127.0.0.1:1/chat?authSource=admin&tlsCertificateKeyFilePassword=hunter3'
  const given = { MONGODB_URL, JWT_SECRET: 'a secret of this test', DATA_DIR: t.testdir(), MONGODB_DATABSE: 'chat' }
  const child = runServer(given)
  let errors = ''
  let output = ''
  child.stderr!.on('data', chunk => { errors += String(chunk) })
  child.stdout!.on('data', chunk => { output += String(chunk) })
  t.same(await once(child, 'close'), [1, null])
  t.match(errors, /^Tidelog cannot start: MONGODB_URL \(mongodb:\/\/127\.0\.0\.1:1\) cannot be reached: [^\n]+\n$/)
  t.notMatch(errors + output, /hunter/)
  t.match(output, /"level":40[^\n]*MONGODB_DATABSE is not used: did you mean MONGODB_DATABASE\?/)
})
