import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { startEmbeddedMongo } from '@tidelog/embedded-mongo'
import { type Document, MongoClient } from 'mongodb'
import t from 'tap'
import { fromSources, root, runScript, startServer } from '../helpers/process.ts'
import { call } from '../helpers/request.ts'
import { hs256 } from '../helpers/tokens.ts'
import { oldId, user } from './old-backend.ts'

const engine = await startEmbeddedMongo({ inMemory: true, port: 0 })
t.teardown(() => engine.stop())
const from = engine.uri.replace('/?', '/chat?')
const client = await MongoClient.connect(from)
t.teardown(() => client.close())
const messages = client.db().collection<Document>('directmessages')
const count = 6_000
const start = Date.parse('2024-01-01T00:00:00.000Z')
await client.db().collection<Document>('users').insertMany(Array.from({ length: 200 }, (_, number) => {
  return { _id: user(number), fullName: `User ${number}`, username: `user${number}`, email: `${number}@example.org` }
}))
for (let first = 0; first < count; first += 2_000) {
  await messages.insertMany(Array.from({ length: 2_000 }, (_, index) => {
    const number = first + index
    const at = new Date(start + number * 1_000)
    const [sender, other] = [number % 200, (number + 1 + number % 7) % 200] as const
    const people = { senderId: user(sender), receiverId: user(other) }
    const content = { message: `m${number}`, messageType: 'text', isRead: number % 3 > 0 }
    return { _id: oldId(number + 1), ...people, ...content, createdAt: at, updatedAt: at }
  }))
}

const JWT_SECRET = 'the secret of the old backend'

t.test('after a kill and a second run all messages are there, sound, and a server serves them', async t => {
  const environment = { DATA_DIR: t.testdir(), JWT_SECRET }
  const run = (...mode: string[]) => runScript('adopt.ts', environment, '--from', from, ...mode)
  t.match(await run('--dry-run'), { code: 0, stdout: /6000 messages looked at[^]*Nothing was written/ })
  const args = [...fromSources, 'scripts/adopt.ts', '--from', from]
  const killed = spawn(process.execPath, args, { cwd: root, env: { PATH: process.env['PATH'] ?? '', ...environment } })
  t.teardown(() => { killed.kill('SIGKILL') })
  killed.stdout.once('data', () => { killed.kill('SIGKILL') })
  const [, signal] = await once(killed, 'exit') as [number | null, string | null]
  t.equal(signal, 'SIGKILL', 'killed at its first sign of progress')
  t.match(await run(), { code: 0, stderr: '' })
  t.match(await run(), { code: 0, stdout: /, 0 new or changed, 0 gone/ })
  t.match(await run('--final'), { code: 0, stdout: /6000 messages looked at, 0 new or changed/ })
  const sound = await runScript('doctor.ts', environment, '--json')
  t.match(JSON.parse(sound.stdout), { result: 'sound', left: 0 })
  t.match(await run(), { code: 2, stderr: /^Not adopted: this adoption was finished at .*\n$/ })

  const server = await startServer(environment)
  t.teardown(() => { server.child.kill('SIGKILL') })
  const second = Math.floor(Date.now() / 1_000)
  const token = hs256({ id: user(0).toHexString(), iat: second, exp: second + 600 }, JWT_SECRET)
  const { status, body } = await call(server, 'GET', '/api/messages/conversations', { token })
  await server.end('SIGTERM')
  t.equal(status, 200, 'a token of the old backend is still good')
  t.ok(body.conversations.length > 3)
})

t.test('each failure is reported in one line', async t => {
  const DATA_DIR = t.testdir()
  const run = (...args: string[]) => runScript('adopt.ts', { DATA_DIR }, ...args)
  t.match(await run(), { code: 2, stderr: /^Not adopted: say where .*--from.*\n$/ })
  t.match(await run('--from', from, '--watch', '--final'), { code: 2, stderr: /^Not adopted: .*\n$/ })
  t.match(await run('--from', 'http://nowhere'), { code: 2, stderr: /^Not adopted: .*\n$/ })
})
