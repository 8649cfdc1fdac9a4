import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import t from 'tap'
import { configSchema } from '../src/config.ts'
import { root, startServer } from './helpers/process.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** A person at a terminal with examples/chat.mjs. */
function chatter (server: string, me: string, other: string) {
  const child = spawn(process.execPath, ['examples/chat.mjs', me, other], {
    cwd: root, env: { PATH: process.env['PATH'] ?? '', SERVER: server }, stdio: ['pipe', 'pipe', 'inherit']
  })
  const lines: string[] = []
  let look = (): void => {}
  createInterface({ input: child.stdout }).on('line', line => {
    lines.push(line)
    look()
  })
  return {
    type: (line: string) => child.stdin.write(`${line}\n`),
    leave: () => child.stdin.end(),
    sees: (line: string) => new Promise<void>(resolve => {
      look = () => { if (lines.includes(line)) resolve() }
      look()
    })
  }
}

t.test('the first chat of the README works as printed, within a minute', async t => {
  const server = await startServer({ DATA_DIR: t.testdir() })
  t.teardown(() => server.end('SIGTERM'))
  t.match(readme, 'node examples/chat.mjs ada grace')
  t.match(readme, 'node examples/chat.mjs grace ada')
  const ada = chatter(server.url, 'ada', 'grace')
  const grace = chatter(server.url, 'grace', 'ada')
  await Promise.all([ada.sees('connected as ada'), grace.sees('connected as grace')])
  ada.type('good morning')
  await Promise.all([ada.sees('ada: good morning'), grace.sees('ada: good morning')])
  grace.type('good evening')
  await Promise.all([ada.sees('grace: good evening'), grace.sees('grace: good evening')])
  ada.leave()
  grace.leave()

  const commands = /<!-- first-chat[^>]*-->\n```sh\n([\s\S]+?)```/.exec(readme)?.[1]
  t.ok(commands)
  const { stdout } = await promisify(execFile)('bash', ['-euc', commands!.replaceAll('localhost:5000', server.url.replace('http://', ''))])
  const answer = JSON.parse(stdout) as { success: boolean, messages: Array<{ message: string }>, cursor: string }
  t.strictSame(answer.messages.map(message => message.message), ['good morning', 'good evening'])
  t.type(answer.cursor, 'string')
})

t.test('every file that the README links to exists, and every variable that it names', async t => {
  for (const [, target] of readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) t.ok(existsSync(join(root, target!)), target!)
  const table = readme.slice(readme.indexOf('## Configuration'), readme.indexOf('## Deployment'))
  for (const [, name] of table.matchAll(/`([A-Z][A-Z_]+)`/g)) t.ok(name! in configSchema.properties, name!)
})

t.test('every npm script that the README names exists', async t => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  for (const [, name] of readme.matchAll(/npm (?:run )?(start|test|lint|types|bench)\b/g)) t.ok(name! in scripts, name!)
})
