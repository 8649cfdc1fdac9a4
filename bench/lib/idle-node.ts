import { setTimeout as delay } from 'node:timers/promises'
import { countsOf } from './cpu.ts'
import type { DirectLoad } from './direct-load.ts'

/** What messages cost a node that serves nobody of their conversations. */
export interface IdleNode {
  messages: number
  /** CPU of a message, without what the node spends in as much time when nothing is sent, in microseconds. */
  micros: number
  /** What that is the difference of. */
  quietMicrosPerSecond: number
  busyMicrosPerSecond: number
  wordsHeard: number
}

/** Sends at full speed between two looks at the idle node, and stays quiet for as long between two others. */
export async function measureIdleNode (url: string, load: DirectLoad, seconds: number): Promise<IdleNode> {
  const rounds = 5
  const sum = { messages: 0, quiet: 0, busy: 0, quietSeconds: 0, busySeconds: 0, wordsHeard: 0 }
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    const first = await countsOf(url)
    await delay(seconds * 1_000 / rounds)
    const second = await countsOf(url)
    const between = performance.now()
    const { operations } = await load.closedLoop(4, seconds / rounds)
    const third = await countsOf(url)
    sum.messages += operations
    sum.quiet += second.cpuMicros - first.cpuMicros
    sum.busy += third.cpuMicros - second.cpuMicros
    sum.quietSeconds += (between - began) / 1_000
    sum.busySeconds += (performance.now() - between) / 1_000
    sum.wordsHeard += third.wordsHeard - second.wordsHeard
  }
  const quietMicrosPerSecond = sum.quiet / sum.quietSeconds
  const busyMicrosPerSecond = sum.busy / sum.busySeconds
  return {
    messages: sum.messages,
    micros: (busyMicrosPerSecond - quietMicrosPerSecond) * sum.busySeconds / sum.messages,
    quietMicrosPerSecond,
    busyMicrosPerSecond,
    wordsHeard: sum.wordsHeard
  }
}
