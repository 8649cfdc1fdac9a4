import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { root, startServer } from './helpers/process.ts'
import { register } from './helpers/register.ts'
import { call } from './helpers/request.ts'

const killWorker = pathToFileURL(join(root, 'test/helpers/kill-worker.mjs')).href

/** Sends one message after the other; how the last one was not acknowledged: its code, or `gone`. */
async function sendUntilRefused (url: string, from: { token: string }, to: { id: string }): Promise<string> {
  for (let n = 0; ; n++) {
    const answer = await call({ url }, 'POST', '/api/messages', {
      token: from.token, body: { receiverId: to.id, content: `message ${n}`, clientMessageId: String(n) }
    }).catch(() => undefined)
    if (answer === undefined) return 'gone'
    const { code } = answer.body as { code?: string }
    // A machine that is busy, or a signal that comes late, is not what is tried here.
    if (answer.status !== 201 && code !== 'RATE_LIMITED') return code ?? ''
  }
}

t.test('if the engine\'s thread dies, the server exits with 1 and a fatal line, and no request hangs', async t => {
  const server = await startServer({ DATA_DIR: t.testdir(), NODE_OPTIONS: `--import=${killWorker}` })
  const [ada, bob] = [await register(server.url, 'ada'), await register(server.url, 'bob')]
  const ended = once(server.child, 'exit')
  const refused = sendUntilRefused(server.url, ada, bob)
  process.kill(server.pid, 'SIGUSR2')
  t.match(await refused, /^(UNAVAILABLE|gone)$/)
  t.same(await ended, [1, null])
  t.match(server.output(), /"level":60[^\n]*the embedded database has failed/)
})

t.test('if the data folder is deleted, the server exits with 1 and a fatal line that names it', async t => {
  const dataDir = join(t.testdir(), 'data')
  const server = await startServer({ DATA_DIR: dataDir })
  const [ada, bob] = [await register(server.url, 'ada'), await register(server.url, 'bob')]
  const ended = once(server.child, 'exit')
  rmSync(dataDir, { recursive: true })
  t.match(await sendUntilRefused(server.url, ada, bob), /^(UNAVAILABLE|gone)$/)
  t.same(await ended, [1, null])
  t.match(server.output(), /"level":60[^\n]*data[^\n]* was deleted or replaced/)
})
