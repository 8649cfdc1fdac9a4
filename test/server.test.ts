import { once } from 'node:events'
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
