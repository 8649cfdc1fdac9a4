import { statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { runScript, startServer } from '../helpers/process.ts'
import { register } from '../helpers/register.ts'
import { call } from '../helpers/request.ts'

interface Synced {
  conversations: Array<{ conversationId: string, cursor: string, changes: Array<{ message?: { message: string } }> }>
  hasMore: boolean
}

async function post<T> (url: string, path: string, body: object, token = ''): Promise<T> {
  const answer = await call({ url }, 'POST', path, { token, body })
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`)
  return answer.body as T
}

/** The texts of a user's direct messages, by a sync from the beginning. */
async function textsOf (url: string, token: string): Promise<string[]> {
  const texts: string[] = []
  let cursors: Record<string, string> = {}
  for (;;) {
    const answer = await post<Synced>(url, '/api/sync', { cursors, newest: 'all' }, token)
    for (const { conversationId, cursor, changes } of answer.conversations) {
      cursors = { ...cursors, [conversationId]: cursor }
      texts.push(...changes.flatMap(({ message }) => message?.message ?? []))
    }
    if (!answer.hasMore) return texts
  }
}

t.test('a backup during writes is sound and holds everything acknowledged before', async t => {
  const base = t.testdir({ data: {} })
  const [DATA_DIR, copy] = [join(base, 'data'), join(base, 'copy')]
  const server = await startServer({ DATA_DIR, RATE_LIMIT_SENDS: '0', RATE_LIMIT_REQUESTS: '0' })
  t.teardown(() => { server.child.kill('SIGKILL') })
  const [ann, bob] = [await register(server.url, 'ann'), await register(server.url, 'bob')]
  const acknowledged: string[] = []
  const writing = new AbortController()
  const write = async (writer: number) => {
    for (let count = 0; !writing.signal.aborted; count++) {
      const content = `${writer}-${count}`
      await post(server.url, '/api/messages', { receiverId: bob.id, content }, ann.token)
      acknowledged.push(content)
    }
  }
  const writers = [write(1), write(2), write(3)]
  while (acknowledged.length < 200) await delay(5)
  const before = [...acknowledged]
  const made = await runScript('backup.ts', { DATA_DIR }, copy)
  const after = acknowledged.length
  writing.abort()
  await Promise.all(writers)
  await server.end('SIGTERM')
  t.match(made, { code: 0, stdout: /^Copied .*data to .*copy/, stderr: '' })
  t.ok(after > before.length, 'the server went on answering')
  t.equal(statSync(join(copy, 'jwt-secret')).mode & 0o777, 0o600)

  const doctored = await runScript('doctor.ts', { DATA_DIR: copy }, '--json')
  t.equal(doctored.code, 0)
  t.match(JSON.parse(doctored.stdout), { result: 'sound', left: 0 })
  t.match(await runScript('doctor.ts', { DATA_DIR: copy }, 'bump-epoch'), { code: 0 })

  const restored = await startServer({ DATA_DIR: copy, RATE_LIMIT_REQUESTS: '0' })
  t.teardown(() => { restored.child.kill('SIGKILL') })
  const texts = await textsOf(restored.url, ann.token)
  await restored.end('SIGTERM')
  const held = new Set(texts)
  t.equal(held.size, texts.length, 'each message once, and the token of before is still good')
  t.strictSame(before.filter(text => !held.has(text)), [], 'all that was acknowledged before the backup began')
  t.ok(texts.every(text => acknowledged.includes(text)))
})

t.test('a backup overwrites nothing, and each failure is reported in one line', async t => {
  const base = t.testdir({ data: {}, nothing: {} })
  const [DATA_DIR, copy] = [join(base, 'data'), join(base, 'copy')]
  const server = await startServer({ DATA_DIR })
  t.teardown(() => { server.child.kill('SIGKILL') })
  t.match(await runScript('backup.ts', { DATA_DIR }, copy), { code: 0 })
  t.match(await runScript('backup.ts', { DATA_DIR }, copy), { code: 2, stderr: /^No backup .* exists already.*\n$/ })
  await server.end('SIGTERM')
  t.match(await runScript('backup.ts', { DATA_DIR }, join(base, 'stopped')), { code: 0 }, 'of a stopped server too')
  await mkdir(join(base, 'empty'))
  const from = (DATA_DIR: string, ...to: string[]) => runScript('backup.ts', { DATA_DIR }, ...to)
  const missing = await from(join(base, 'nothing'), join(base, 'a'))
  t.match(missing, { code: 2, stderr: /^No backup .* there is no database in .*\n$/ })
  t.match(await from(DATA_DIR), { code: 2, stderr: /^No backup .*npm run backup -- DIR\n$/ })
  const remote = await runScript('backup.ts', { MONGODB_URL: 'mongodb://localhost/x' }, copy)
  t.match(remote, { code: 2, stderr: /MONGODB_URL is set/ })
})
