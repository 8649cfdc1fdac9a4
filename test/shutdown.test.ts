import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import t from 'tap'
import { type ServerProcess, startServer } from './helpers/process.ts'
import { connectRaw } from './helpers/raw-socket.ts'
import { register } from './helpers/register.ts'
import { request } from './helpers/request.ts'

type Test = { teardown: (end: () => void) => void }

/** A connection that sends a text, which may be half a request, and nothing more. */
async function dial (t: Test, server: ServerProcess, text = ''): Promise<{ socket: Socket, closed: Promise<unknown>, received: () => string }> {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  let received = ''
  socket.on('data', chunk => { received += String(chunk) })
  socket.on('error', () => {})
  t.teardown(() => { socket.destroy() })
  await once(socket, 'connect')
  if (text !== '') await new Promise<void>(resolve => { socket.write(text, () => { resolve() }) })
  return { socket, closed: once(socket, 'close'), received: () => received }
}

const post = (path: string, token: string, body: string, length = body.length) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`

t.test('SIGTERM exits with 0 whatever is connected, and the next start finds folder and port free', async t => {
  const environment = { DATA_DIR: t.testdir(), JWT_SECRET: 'a secret of the shutdown test' }
  const server = await startServer(environment)
  const ada = await register(server.url, 'ada')
  const silent = await dial(t, server)
  const halfHead = await dial(t, server, 'GET /health/live HTTP/1.1\r\nHost: x\r\n')
  const halfBody = await dial(t, server, post('/api/messages', ada.token, '{"content":', 5_000))
  const idle = await dial(t, server, 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(idle.socket, 'data')
  const longPoll = await dial(t, server, post('/api/sync', ada.token, '{"cursors":{},"newest":0,"waitMs":25000}'))
  // Connected, and asleep from now on: it reads nothing, not even the farewell.
  const asleep = await connectRaw(t, server.url, ada.token)
  asleep.tcp.pause()
  // Answered, so all that was sent before has arrived.
  await request(`${server.url}/health/live`)
  const second = server.end('SIGTERM')
  process.kill(server.pid, 'SIGTERM')
  t.equal(await second, 0, 'a second signal does not cut it short')
  await Promise.all([silent, halfHead, halfBody, idle, longPoll].map(({ closed }) => closed))
  t.match(longPoll.received(), /^HTTP\/1\.1 200 /, 'what was asked is answered')
  t.match(server.output(), /"msg":"closed"/)
  const again = await startServer({ ...environment, PORT: new URL(server.url).port })
  t.equal(await again.end('SIGTERM'), 0)
})
