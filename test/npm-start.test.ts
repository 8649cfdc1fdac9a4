import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { freePort } from './helpers/free-port.ts'
import { root } from './helpers/process.ts'

type Test = { teardown: (end: () => void) => void }

/** `npm start` as the leader of a process group of its own, as a service manager or a terminal runs it. */
async function npmStart (t: Test, environment: Record<string, string>): Promise<{ npm: ChildProcess, url: string, output: () => string }> {
  const npm = spawn('npm', ['start'], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', HOST: '127.0.0.1', PORT: '0', ...environment }
  })
  t.teardown(() => {
    try {
      process.kill(-npm.pid!, 'SIGKILL')
    } catch {
      // The whole group has ended.
    }
  })
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: npm.stdout! }).on('line', line => {
      output += `${line}\n`
      const listening = /Server listening at (http:\/\/[^"]+)/.exec(line)
      if (listening !== null) resolve(listening[1]!)
    })
    npm.once('exit', code => { reject(new Error(`npm start ended with ${String(code)}`)) })
  })
  return { npm, url, output: () => output }
}

t.test('a signal to npm or its group ends the server cleanly and frees folder and port', {
  skip: process.platform === 'win32' && 'there are no signals'
}, async t => {
  const environment = { DATA_DIR: t.testdir(), PORT: String(await freePort()) }
  const sends: Array<[string, (npm: ChildProcess) => unknown]> = [
    ['SIGTERM to npm', npm => npm.kill('SIGTERM')],
    ['SIGTERM to the group, as of a service manager', ({ pid }) => process.kill(-pid!, 'SIGTERM')],
    ['SIGINT to the group, as of Ctrl-C', ({ pid }) => process.kill(-pid!, 'SIGINT')]
  ]
  for (const [name, send] of sends) {
    const { npm, url, output } = await npmStart(t, environment)
    const ended = once(npm, 'close')
    send(npm)
    await ended
    t.match(output(), /"msg":"closed"/, name)
    await t.rejects(fetch(url), name)
  }
})
