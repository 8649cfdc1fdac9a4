import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** How to stop and restart the deployment. Without these it is left alone. */
export interface Control {
  kill: () => Promise<void>
  start: () => Promise<void>
  /** What the next `kill` does, if that is something else. */
  describe?: () => string
}

const readyMsMax = 120_000
const goneMsMax = 10_000

/** Waits until every node is ready. @throws after two minutes */
export async function waitReady (urls: readonly string[]): Promise<void> {
  const until = Date.now() + readyMsMax
  for (const url of urls) {
    while (!await isReady(url)) {
      if (Date.now() > until) throw new Error(`${url}/health/ready did not answer 200 within ${readyMsMax / 1_000} seconds`)
      await delay(100)
    }
  }
}

async function isReady (url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}

/** Control by shell commands, or by a file with the process id. A start command may run as long as the server. */
export function controlBy ({ kill, restart, pidFile }: { kill?: string | undefined, restart?: string | undefined, pidFile?: string | undefined }): Control | undefined {
  if (restart === undefined) return undefined
  return {
    kill: async () => {
      if (kill !== undefined) await run(kill)
      else if (pidFile !== undefined) await killProcess(Number(readFileSync(pidFile, 'utf8').trim()))
    },
    start: async () => {
      const child = spawn(restart, { shell: true, stdio: 'ignore', detached: true })
      child.unref()
      await once(child, 'spawn')
    }
  }
}

/** Kills a process and waits until it is gone: until then it holds its files. */
async function killProcess (pid: number): Promise<void> {
  if (!Number.isInteger(pid) || pid <= 1) throw new Error('the pid file holds no process id')
  process.kill(pid, 'SIGKILL')
  for (let waited = 0; waited < goneMsMax && isThere(pid); waited += 20) await delay(20)
}

function isThere (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function run (command: string): Promise<void> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = await once(child, 'exit') as [number | null]
  if (code !== 0) throw new Error(`"${command}" ended with ${String(code)}`)
}
