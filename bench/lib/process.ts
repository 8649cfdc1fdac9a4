import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../test/helpers/free-port.ts'
import { secret } from './people.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const startMs = 20_000
const stopMs = 20_000

/** A server under test in its own process. */
export interface Running {
  pid: number
  url: string
  /** Floors only: asks a question over IPC and waits for the answer. */
  ask: <T>(question: unknown) => Promise<T>
  stop: () => Promise<void>
}

/**
 * Starts the compiled product (dist/server.js) as `npm start` does, with default settings. Only the rate limits differ:
 * they count, but are so high that none refuses. The log goes to a file beside `dataDir`.
 */
export async function startProduct (
  dataDir: string,
  { profileDir, environment = {}, port: given }: {
    profileDir?: string | undefined, environment?: Record<string, string>, port?: number
  } = {}
): Promise<Running> {
  const port = given ?? await freePort()
  const log = `${dataDir}.log`
  const output = openSync(log, 'a')
  const child = spawn(process.execPath, [
    ...startFlags(),
    ...(profileDir === undefined ? [] : ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', profileDir]),
    join(root, 'dist/server.js')
  ], {
    cwd: dirname(dataDir), // A folder without a developer's .env.
    stdio: ['ignore', output, output],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: dataDir,
      JWT_SECRET: secret,
      RATE_LIMIT_LOGIN: '1000000000',
      RATE_LIMIT_REGISTER: '1000000000',
      RATE_LIMIT_SENDS: '1000000000',
      RATE_LIMIT_REQUESTS: '1000000000',
      RATE_LIMIT_SEARCH: '1000000000',
      RATE_LIMIT_INVITATIONS: '1000000000',
      RATE_LIMIT_HANDSHAKES: '1000000000',
      RATE_LIMIT_PACKETS: '1000000000',
      RATE_LIMIT_CONNECTS: '1000000000',
      SOCKETS_MAX: '1000000000',
      ...environment
    }
  })
  closeSync(output)
  const url = `http://127.0.0.1:${port}`
  const deadline = Date.now() + startMs
  while (!await answers(`${url}/health/ready`)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`The server did not start:\n${readFileSync(log, 'utf8').slice(-4_000)}`)
    }
    await delay(50)
  }
  return { pid: child.pid!, url, ask: () => Promise.reject(new Error('The product is asked over its URL')), stop: () => stop(child) }
}

/** Starts a floor (bench/floors/<name>.ts). It sends `{ url }` when it listens. */
export async function startFloor (name: string, environment: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, `bench/floors/${name}.ts`)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { PATH: process.env['PATH'] ?? '', ...environment }
  })
  const next = <T>() => new Promise<T>((resolve, reject) => {
    const ended = () => { reject(new Error(`The floor "${name}" ended`)) }
    child.once('exit', ended)
    child.once('message', answer => {
      child.off('exit', ended)
      resolve(answer as T)
    })
  })
  const { url } = await next<{ url: string }>()
  return {
    pid: child.pid!,
    url,
    ask: <T>(question: unknown) => {
      const answer = next<T>()
      child.send(question as object)
      return answer
    },
    stop: () => stop(child)
  }
}

/** The Node flags of `npm start`, which users get. */
function startFlags (): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } }
  return scripts.start.split(' ').filter(word => word.startsWith('--'))
}

async function stop (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise<void>(resolve => { child.once('exit', () => { resolve() }) })
  child.kill('SIGTERM')
  const timer = setTimeout(() => {
    console.error(`Process ${child.pid ?? 0} did not end within ${stopMs} ms of SIGTERM: killed`)
    child.kill('SIGKILL')
  }, stopMs)
  await exited
  clearTimeout(timer)
}

async function answers (url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    return false
  }
}
