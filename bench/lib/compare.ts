import { setTimeout as delay } from 'node:timers/promises'
import { type Latency, median } from './statistics.ts'
import { type Cpu, cpuOf } from './cpu.ts'

/** The result of one contestant in one round. */
export interface Sample {
  operations: number
  seconds: number
  /** CPU time of the server for one operation, in microseconds. */
  cpu: Cpu
  latency?: Latency
}

export interface Contestant {
  /** `Tidelog …`, or a description of the floor. */
  name: string
  /** The process under test. */
  pid: number
  run: (seconds: number) => Promise<{ operations: number, seconds: number, latency?: Latency, cpu?: Cpu }>
}

export interface Pace {
  rounds: number
  seconds: number
  warmUpSeconds: number
}

export interface Line {
  name: string
  perSecond: number
  /** Rate of the first contestant divided by this one's, the median over the rounds. 1 for the first itself. */
  ratio: number
  cpu: Cpu
  latency?: Latency
}

export interface Comparison {
  title: string
  /** The unit that is counted. */
  unit: string
  lines: Line[]
  /** The product's target in words, and whether this run met it. */
  target?: { text: string, met: boolean }
}

/**
 * Runs the contestants in turn, round after round (A B C A B C …), so that other work of the machine affects all of
 * them. Figures are medians over the rounds.
 */
export async function compare (title: string, unit: string, contestants: readonly Contestant[], pace: Pace): Promise<Comparison> {
  const samples = contestants.map((): Sample[] => [])
  for (let round = pace.warmUpSeconds > 0 ? -1 : 0; round < pace.rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const sample = await measure(contestant, round < 0 ? pace.warmUpSeconds : pace.seconds)
      if (round >= 0) samples[index]!.push(sample)
      await delay(50) // Lets the last answers arrive before the next clock starts.
    }
  }
  const rates = samples.map(rounds => rounds.map(({ operations, seconds }) => operations / seconds))
  return {
    title,
    unit,
    lines: contestants.map(({ name }, index) => {
      const rounds = samples[index]!
      return {
        name,
        perSecond: median(rates[index]!),
        ratio: median(rates[index]!.map((rate, round) => rates[0]![round]! / rate)),
        cpu: { all: median(rounds.map(sample => sample.cpu.all)), main: median(rounds.map(sample => sample.cpu.main)) },
        ...(rounds[0]?.latency === undefined
          ? {}
          : {
              latency: {
                p50: median(rounds.map(sample => sample.latency!.p50)),
                p99: median(rounds.map(sample => sample.latency!.p99)),
                max: median(rounds.map(sample => sample.latency!.max))
              }
            })
      }
    })
  }
}

async function measure ({ pid, run }: Contestant, seconds: number): Promise<Sample> {
  const before = cpuOf(pid)
  const { cpu: own, ...result } = await run(seconds)
  const after = cpuOf(pid)
  const spent = own ?? { all: after.all - before.all, main: after.main - before.main }
  return { ...result, cpu: { all: spent.all / result.operations, main: spent.main / result.operations } }
}
