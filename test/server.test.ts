import { once } from 'node:events'
import { io } from 'socket.io-client'
import t from 'tap'
import { runServer, startServer } from './helpers/process.ts'
import { request } from './helpers/request.ts'

const lineOf = async (environment: Record<string, string>): Promise<{ code: number | null, text: string }> => {
  const child = runServer(environment)
  let text = ''
  child.stderr?.on('data', chunk => { text += String(chunk) })
  child.stdout?.resume()
  const [code] = await once(child, 'exit') as [number | null]
  return { code, text: text.trim() }
}

t.test('a bad variable ends the process with one line that names it', async t => {
  const { code, text } = await lineOf({ PORT: 'eighty', DATA_DIR: t.testdir() })
  t.equal(code, 1)
  t.match(text, /^Configuration: PORT must be integer[^\n]*$/)
})

t.test('a second process on the same DATA_DIR, and a port in use, are refused in one line; the first goes on', async t => {
  const dataDir = t.testdir()
  const first = await startServer({ DATA_DIR: dataDir })
  const second = await lineOf({ DATA_DIR: dataDir })
  t.equal(second.code, 1)
  t.match(second.text, /^Tidelog cannot start: [^\n]+$/)
  t.match(second.text, dataDir)
  const third = await lineOf({ DATA_DIR: t.testdir({}), PORT: new URL(first.url).port })
  t.equal(third.code, 1)
  t.match(third.text, /^Tidelog cannot start: [^\n]*EADDRINUSE[^\n]*$/)
  t.equal((await request(`${first.url}/health/ready`)).status, 200)
  t.equal(await first.end('SIGTERM'), 0)
})

t.test('SIGTERM acknowledges what was accepted, tells the sockets and ends with 0', async t => {
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
