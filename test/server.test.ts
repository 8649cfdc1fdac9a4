import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { io } from 'socket.io-client'
import t from 'tap'
import { startServer } from './helpers/process.ts'
import { register } from './helpers/register.ts'

t.test('SIGTERM acknowledges what was accepted, tells the sockets, and exits with 0', async t => {
  const server = await startServer({ DATA_DIR: t.testdir() })
  const [ada, bob] = [await register(server.url, 'ada'), await register(server.url, 'bob')]
  const socket = io(server.url, { auth: { token: ada.token }, transports: ['websocket'], reconnection: false })
  await once(socket as never, 'connect')
  const answers: Array<{ success: boolean, code?: string }> = []
  for (let n = 0; n < 50; n++) {
    socket.emit('sendDirectMessage', { receiverId: bob.id, content: `message ${n}` }, (ack: { success: boolean }) => answers.push(ack))
  }
  const told = new Promise<string>(resolve => socket.once('disconnect', resolve))
  await new Promise<void>(resolve => socket.once('directMessage', () => resolve()))
  const code = await server.end('SIGTERM')
  t.equal(code, 0)
  t.equal(await told, 'io server disconnect', 'the server told the socket')
  t.equal(answers.length, 50, 'every message was answered')
  t.ok(answers.every(answer => answer.success || answer.code === 'UNAVAILABLE'), 'accepted, or refused as worth a retry')
})

t.test('what a request allocates stays young, though many connections rest between two requests', async t => {
  const token = 'a-token-for-the-metrics'
  const server = await startServer({ DATA_DIR: t.testdir(), METRICS_TOKEN: token, RATE_LIMIT_REQUESTS: '0' })
  t.teardown(() => server.end('SIGKILL'))
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 400 })
  const ask = (path: string) => new Promise<string>((resolve, reject) => {
    get(`${server.url}${path}`, { agent, headers: { authorization: `Bearer ${token}` } }, response => {
      let text = ''
      response.on('data', chunk => { text += String(chunk) }).once('end', () => { resolve(text) })
    }).once('error', reject)
  })
  const oldBytes = async () => Number(/^nodejs_heap_space_size_used_bytes\{space="old"\} (\d+)/m.exec(await ask('/metrics'))?.[1])
  const askMany = async (times: number) => {
    for (let n = 0; n < times; n += 50) await Promise.all(Array.from({ length: 50 }, () => ask('/health/live')))
  }
  await Promise.all(Array.from({ length: 400 }, () => ask('/health/live')))
  await askMany(3_000) // The code is compiled by then.
  const before = await oldBytes()
  await askMany(3_000)
  const grown = (await oldBytes() - before) / 3_000
  t.ok(grown < 1_000, `old objects grew by ${Math.round(grown)} bytes a request`)
})
