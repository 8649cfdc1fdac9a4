import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/** How to end and start the deployment again; without them it is left alone. */
export interface Control {
  kill: () => Promise<void>
  start: () => Promise<void>
}

const readyMsMax = 120_000

/** Waits until every node answers that it is ready. @throws after two minutes */
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

/** Control by shell commands, or by a file with the process id. A start command may run for as long as the server does. */
export function controlBy ({ kill, restart, pidFile }: { kill?: string | undefined, restart?: string | undefined, pidFile?: string | undefined }): Control | undefined {
  if (restart === undefined) return undefined
  const killCommand = kill ?? (pidFile === undefined ? undefined : `kill -9 "$(cat '${pidFile}')"`)
  return {
    kill: async () => { if (killCommand !== undefined) await run(killCommand) },
    start: async () => {
      const child = spawn(restart, { shell: true, stdio: 'ignore', detached: true })
      child.unref()
      await once(child, 'spawn')
    }
  }
}

async function run (command: string): Promise<void> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = await once(child, 'exit') as [number | null]
  if (code !== 0) throw new Error(`"${command}" ended with ${String(code)}`)
}
