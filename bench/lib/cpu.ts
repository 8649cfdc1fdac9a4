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

/** What a node has spent and heard since its start, by its own count: /proc counts in steps of 10 ms. */
export interface NodeCount {
  cpuMicros: number
  wordsHeard: number
}

/** Asks a node that answers /metrics to this machine. The answer itself costs some milliseconds. */
export async function countsOf (url: string): Promise<NodeCount> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const value = (name: string) => {
    const line = text.split('\n').find(line => line.startsWith(`${name} `))
    if (line === undefined) throw new Error(`The node tells no ${name}`)
    return Number(line.slice(name.length + 1))
  }
  return {
    cpuMicros: value('process_cpu_seconds_total') * 1e6,
    wordsHeard: value('tidelog_link_words_total{direction="heard"}')
  }
}
