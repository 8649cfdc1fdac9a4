import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fromSources, root } from './process.ts'

/** A program at a terminal: what it prints, and what is typed. */
export interface Program {
  type: (line: string) => void
  lines: readonly string[]
  /** Resolves when a line that matches is printed, or has been. */
  sees: (line: string | RegExp) => Promise<void>
  /** Ends what is typed, and waits for the end. */
  leave: () => Promise<void>
  kill: () => Promise<void>
}

/** An example, run from the client's sources. */
export function runExample (file: string, given: string[], environment: Record<string, string>): Program {
  return runProgram(process.execPath, [...fromSources, file, ...given], { environment })
}

export interface Surroundings { environment?: Record<string, string>, cwd?: string }

export function runProgram (command: string, given: string[], { environment = {}, cwd = root }: Surroundings): Program {
  const env = { PATH: process.env['PATH'] ?? '', ...environment }
  const child = spawn(command, given, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  const looks = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', line => {
    lines.push(line)
    for (const look of looks) look()
  })
  const ended = once(child, 'exit')
  return {
    type: line => { child.stdin.write(`${line}\n`) },
    lines,
    sees: wanted => new Promise((resolve, reject) => {
      const look = () => {
        if (!lines.some(line => typeof wanted === 'string' ? line === wanted : wanted.test(line))) return
        looks.delete(look)
        resolve()
      }
      looks.add(look)
      void ended.then(() => { reject(new Error(`it ended before "${String(wanted)}":\n${lines.join('\n')}`)) })
      look()
    }),
    leave: async () => {
      child.stdin.end()
      await ended
    },
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    }
  }
}
