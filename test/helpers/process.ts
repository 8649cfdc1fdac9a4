import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { tied } from './tied.ts'

/** A server in its own process, as `npm start` runs it, but from the sources. */
export interface ServerProcess {
  url: string
  pid: number
  child: ChildProcess
  /** Everything that the server has logged. */
  output: () => string
  /** Sends a signal and waits for the end. @returns the exit code; null after a kill */
  end: (signal: NodeJS.Signals) => Promise<number | null>
}

export const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Node's arguments for a program in TypeScript. They begin it in half a second less than tsx; and as in the tests' own
 * processes (.taprc), V8 optimizes later what only a start runs.
 */
export const fromSources = [
  '--interrupt-budget=400000', '--import', new URL('compile.mjs', import.meta.url).href, '--conditions=@tidelog/source'
]

/** Runs server.ts with an environment. */
export function runServer (environment: Record<string, string>): ChildProcess {
  return spawn(...tied('SIGKILL', process.execPath, [...fromSources, 'server.ts']), {
    cwd: root,
    // Without the test runner's loaders, and without variables that name another database.
    env: { PATH: process.env['PATH'] ?? '', HOST: '127.0.0.1', PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  })
}

/**
 * Starts a server, on a port that it can have again, and waits until it listens. `onLine` gets each line that it prints.
 */
export async function startServer (
  environment: Record<string, string>, onLine: (line: string) => void = () => {}
): Promise<ServerProcess> {
  const child = runServer({ PORT: String(await freePort()), ...environment })
  let errors = ''
  let output = ''
  child.stderr?.on('data', chunk => { errors += String(chunk) })
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', line => {
      onLine(line)
      output += `${line}\n`
      const listening = /Server listening at (http:\/\/[^"]+)/.exec(line)
      if (listening?.[1] !== undefined) resolve(listening[1])
    })
    child.once('exit', code => { reject(new Error(`the server ended with ${String(code)}: ${errors}`)) })
  })
  return {
    url,
    pid: child.pid!,
    child,
    output: () => output,
    async end (signal) {
      const ended = once(child, 'exit')
      child.kill(signal)
      const [code] = await ended as [number | null]
      return code
    }
  }
}

/** Runs a program of `scripts` with an environment, as its npm script does. */
export async function runScript (
  name: string, environment: Record<string, string>, ...args: string[]
): Promise<{ code: number, stdout: string, stderr: string }> {
  const given = [...fromSources, `scripts/${name}`, ...args]
  const options = { cwd: root, env: { PATH: process.env['PATH'] ?? '', ...environment } }
  try {
    return { code: 0, ...await promisify(execFile)(process.execPath, given, options) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number, stdout: string, stderr: string }
    return { code, stdout, stderr }
  }
}
