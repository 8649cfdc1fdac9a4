import { checks } from './checks/index.ts'
import type { Control } from './deployment.ts'
import { playEra } from './era.ts'
import { Random } from './random.ts'
import { type Checked, type PromiseNumber, type PromiseReport, type SectionName, merge, reportOf } from './report.ts'

export interface RunOptions {
  urls: readonly string[]
  control?: Control | undefined
  /** Milliseconds of load in total. */
  durationMs: number
  seed: number
  /** Milliseconds between two kills. */
  killEveryMs?: number
  /** Tokens of four users, if the deployment does not register users. */
  tokens?: readonly string[]
  common?: boolean
  /** Play the scenes too. */
  scenes?: boolean
  say?: (line: string) => void
}

/**
 * Milliseconds of load in an era. After it everything is checked and dropped, so that the memory of a run stays
 * bounded.
 */
const eraMs = 45_000
/** Rounds of scenes in a run: they register users, and a deployment accepts a few hundred an hour. */
const roundsMax = 8

/** Attacks a deployment, and reports for each promise whether it was kept. */
export async function runConformance ({ urls, control, durationMs, seed, killEveryMs = 8_000, tokens = [], common = true, scenes = true, say = () => {} }: RunOptions): Promise<PromiseReport[]> {
  const random = new Random(seed)
  const found = new Map<PromiseNumber | SectionName, Checked>()
  const eras = Math.max(1, Math.ceil(durationMs / eraMs))
  for (let era = 0; era < eras; era++) {
    const run = `${Date.now().toString(36)}-${random.integer(0, 36 ** 4).toString(36)}`
    const withScenes = scenes && era % Math.ceil(eras / roundsMax) === 0
    const history = await playEra({ urls, control, withScenes, loadMs: durationMs / eras, killEveryMs, tokens, common, random: random.fork(), run, say })
    for (const [key, check] of checks) found.set(key, merge(found.get(key), check(history)))
  }
  return reportOf(found)
}
