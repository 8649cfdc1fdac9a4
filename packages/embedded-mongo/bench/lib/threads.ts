import { pbkdf2 } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'

/** Processor time in microseconds, by thread. */
export interface Cpu {
  /** The engine, or the server in its place. */
  server: number
  /** The driver, and the loop that calls it. */
  client: number
  /** libuv's pool, where LMDB writes and syncs. */
  writer: number
  /** The rest: V8's own threads, which collect the garbage of both. */
  helpers: number
}

const tasks = '/proc/self/task'
const poolThreads = 4
const busyMicros = 10_000

/** Runs `start`, and returns the threads that it started. Without /proc there are none. */
export async function threadsOf<T> (start: () => Promise<T>): Promise<{ started: T, threads: string[] }> {
  const before = new Set(threads())
  const started = await start()
  return { started, threads: threads().filter(thread => !before.has(thread)) }
}

const pool = await libuvPool()

/** Finds the threads of libuv's pool by giving it work: they have no names. */
async function libuvPool (): Promise<string[]> {
  const idle = new Map(threads().map(thread => [thread, microsOf(thread)]))
  const work = promisify(pbkdf2)
  await Promise.all(Array.from({ length: poolThreads }, () => work('', '', 60_000, 64, 'sha512')))
  return threads().filter(thread => thread !== String(process.pid) && microsOf(thread) - (idle.get(thread) ?? 0) > busyMicros)
}

export function cpuOf (serverThreads: readonly string[]): Cpu {
  const { user, system } = process.cpuUsage()
  const [server, client, writer] = [serverThreads, [String(process.pid)], pool].map(group => group.reduce((sum, thread) => sum + microsOf(thread), 0))
  return { server: server!, client: client!, writer: writer!, helpers: user + system - server! - client! - writer! }
}

function threads (): string[] {
  return process.platform === 'linux' ? readdirSync(tasks) : []
}

function microsOf (thread: string): number {
  if (process.platform !== 'linux') return 0
  return Number(readFileSync(`${tasks}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1_000
}
