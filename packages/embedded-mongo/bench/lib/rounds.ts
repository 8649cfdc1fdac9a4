import { setTimeout as delay } from 'node:timers/promises'
import { latencyOf, median } from '../../../../bench/lib/statistics.ts'
import { type Cpu, cpuOf } from './threads.ts'

/** One of several ways to do the same work. */
export interface Contestant {
  name: string
  /** The threads of its server. */
  threads: readonly string[]
  operate: (i: number) => unknown
}

export interface Pace {
  rounds: number
  seconds: number
  warmUpSeconds: number
}

interface Round {
  perSecond: number
  cpu: Cpu
  p50Ms: number
  p99Ms: number
}

export interface Line extends Round {
  name: string
  /** Rate of the first contestant over this one's, the median over the rounds. */
  ratio: number
}

/**
 * Runs the contestants in turn, round after round (A B C A B C …), so that other work of the machine affects all of
 * them. Figures are medians over the rounds. An operation counts as `units`.
 */
export async function compare (contestants: readonly Contestant[], inFlight: number, units: number, pace: Pace): Promise<Line[]> {
  const loops = contestants.map(contestant => ({ contestant, done: 0, rounds: [] as Round[] }))
  for (let round = -1; round < pace.rounds; round++) {
    for (const loop of loops) {
      const measured = await closedLoop(loop, inFlight, units, round < 0 ? pace.warmUpSeconds : pace.seconds)
      if (round >= 0) loop.rounds.push(measured)
      await delay(50) // Deferred work must not count in the next round.
    }
  }
  const first = loops[0]!.rounds
  return loops.map(({ contestant: { name }, rounds }) => {
    const middle = (of: (round: Round, index: number) => number) => median(rounds.map(of))
    return {
      name,
      perSecond: middle(round => round.perSecond),
      ratio: middle((round, index) => first[index]!.perSecond / round.perSecond),
      cpu: eachThread(part => middle(({ cpu }) => cpu[part])),
      p50Ms: middle(round => round.p50Ms),
      p99Ms: middle(round => round.p99Ms)
    }
  })
}

async function closedLoop (loop: { contestant: Contestant, done: number }, inFlight: number, units: number, seconds: number): Promise<Round> {
  const { operate, threads } = loop.contestant
  const latencies: number[] = []
  const before = cpuOf(threads)
  const start = performance.now()
  const end = start + seconds * 1_000
  await Promise.all(Array.from({ length: inFlight }, async () => {
    for (let now = performance.now(); now < end;) {
      await operate(loop.done++)
      const done = performance.now()
      latencies.push(done - now)
      now = done
    }
  }))
  const tookMs = performance.now() - start
  const after = cpuOf(threads)
  const count = latencies.length * units
  const { p50: p50Ms, p99: p99Ms } = latencyOf(latencies)
  return {
    perSecond: count / tookMs * 1_000,
    cpu: eachThread(part => (after[part] - before[part]) / count),
    p50Ms,
    p99Ms
  }
}

function eachThread (of: (part: keyof Cpu) => number): Cpu {
  return { server: of('server'), client: of('client'), writer: of('writer'), helpers: of('helpers') }
}
