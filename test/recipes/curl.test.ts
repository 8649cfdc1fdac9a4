import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { runProgram } from '../helpers/programs.ts'
import { codeBlocksOf } from '../helpers/recipes.ts'

// Not the test's own folder, which is the server's.
const cwd = t.testdir({})

t.test('shell commands sign in, send once, sync and wait for a change', async t => {
  const { url, call, register } = await startApp(t)
  const ada = await register('ada', { password: 'ada has a long password' })
  const bob = await register('bob')
  const code = codeBlocksOf('recipes/curl.md').map(({ code }) => code).join('\n')
  const script = code.replace('http://localhost:5000', url)
  writeFileSync(join(cwd, 'script.sh'), script)
  const run = () => runProgram('bash', ['-euo', 'pipefail', join(cwd, 'script.sh')], { cwd })
  const conversationId = `dm_${[ada.id, bob.id].sort().join('_')}`

  const first = run()
  t.teardown(() => first.kill())
  await first.sees('waiting')
  await call('POST', '/api/messages', { token: bob.token, body: { receiverId: ada.id, content: 'thank you' } })
  await first.sees(`${conversationId} 2: thank you`)
  await first.leave()
  t.ok(first.lines.includes(`${conversationId} 1: the backup is done`))

  const second = run()
  t.teardown(() => second.kill())
  await second.sees('waiting')
  await call('POST', '/api/messages', { token: bob.token, body: { receiverId: ada.id, content: 'again' } })
  await second.sees(`${conversationId} 3: again`)
  await second.leave()
  t.strictSame(second.lines, ['1', 'waiting', `${conversationId} 3: again`], 'nothing is sent or told twice')
})
