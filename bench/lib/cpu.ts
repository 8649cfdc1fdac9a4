import { readFileSync } from 'node:fs'

/** CPU time of a process in microseconds: of all its threads, and of its main thread (JavaScript) alone. */
export interface Cpu {
  all: number
  main: number
}

const microsPerTick = 10_000 // USER_HZ is 100 on every Linux that Node runs on.

/** Reads CPU times from /proc. Without /proc (not Linux) it returns zeros, and the tables show no CPU. */
export function cpuOf (pid: number): Cpu {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command in parentheses, which may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const all = (Number(fields[11]) + Number(fields[12])) * microsPerTick
    const main = Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1_000
    return { all, main }
  } catch {
    return { all: 0, main: 0 }
  }
}

/** Largest resident size of a process so far, in MiB. */
export function peakMemoryOf (pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
  } catch {
    return NaN
  }
}
