import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { freePort } from './free-port.ts'
import { tied } from './tied.ts'

const program = '/usr/bin/redis-server'

/** The reason for which tests with a Redis are skipped; false: it is installed. */
export const noRedis = existsSync(program) ? false : `${program} is not installed`

/** A Redis in its own process. */
export interface TestRedis {
  url: string
  port: number
  /** Ends it at once, as a crash would. */
  kill: () => Promise<void>
  /** Starts it again on the same port, empty. */
  restart: () => Promise<void>
  freeze: () => void
  thaw: () => void
}

export async function startRedis (t: { teardown: (end: () => unknown) => void }): Promise<TestRedis> {
  const port = await freePort()
  let child: ChildProcess | undefined
  const start = async () => {
    const given = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    child = spawn(...tied('SIGKILL', program, given), { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const line of createInterface({ input: child.stdout! })) {
      if (line.includes('Ready to accept connections')) break
    }
    child.stdout!.resume()
  }
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  await start()
  t.teardown(kill)
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    restart: start,
    freeze: () => { child?.kill('SIGSTOP') },
    thaw: () => { child?.kill('SIGCONT') }
  }
}
