import { once } from 'node:events'
import { io } from 'socket.io-client'
import t from 'tap'
import { startServer } from './helpers/process.ts'
import { request } from './helpers/request.ts'

t.test('SIGTERM acknowledges what was accepted, tells the sockets, and exits with 0', async t => {
  const server = await startServer({ DATA_DIR: t.testdir() })
  const accounts = await Promise.all(['ada', 'bob'].map(async username => {
    const { text } = await request(`${server.url}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ fullName: username, username, email: `${username}@example.com`, password: 'a long password' })
    })
    return JSON.parse(text) as { token: string, user: { _id: string } }
  }))
  const socket = io(server.url, { auth: { token: accounts[0]!.token }, transports: ['websocket'], reconnection: false })
  await once(socket as never, 'connect')
  const answers: Array<{ success: boolean, code?: string }> = []
  for (let n = 0; n < 50; n++) {
    socket.emit('sendDirectMessage', { receiverId: accounts[1]!.user._id, content: `message ${n}` }, (ack: { success: boolean }) => answers.push(ack))
  }
  const told = new Promise<string>(resolve => socket.once('disconnect', resolve))
  await new Promise<void>(resolve => socket.once('directMessage', () => resolve()))
  const code = await server.end('SIGTERM')
  t.equal(code, 0)
  t.equal(await told, 'io server disconnect', 'the server told the socket')
  t.equal(answers.length, 50, 'every message was answered')
  t.ok(answers.every(answer => answer.success || answer.code === 'UNAVAILABLE'), 'accepted, or refused as worth a retry')
})
