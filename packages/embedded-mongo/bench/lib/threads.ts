import { readdirSync, readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Processor time in microseconds, by thread. */
export interface Cpu {
  /** The engine, or who answers in its place. */
  server: number
  /** The driver, and the loop that calls it. */
  client: number
  /** libuv's pool, where LMDB writes and syncs. */
  writer: number
  /** What is left: V8's own threads, which collect the garbage of both. */
  helpers: number
}

const tasks = '/proc/self/task'

/** Runs `start`, and tells which threads it has left behind; none where there is no /proc. */
export async function threadsOf<T> (start: () => Promise<T>): Promise<{ started: T, threads: string[] }> {
  const before = new Set(threads())
  const started = await start()
  return { started, threads: threads().filter(thread => !before.has(thread)) }
}

const { threads: pool } = await threadsOf(() => stat('.')) // libuv starts its pool when it first needs it.

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
