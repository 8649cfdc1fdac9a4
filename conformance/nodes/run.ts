import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PromiseReport, textOf } from '../report.ts'
import { runConformance } from '../run.ts'
import { startFaultyCluster } from './cluster.ts'
import { controlOf } from './faults.ts'

/** Milliseconds between two faults, and for which one lasts. */
const faultEveryMs = 8_000
const faultMs = 3_000

interface NodesRun {
  nodes: number
  /** Milliseconds of load with each fault. */
  durationMs: number
  seed: number
  say: (line: string) => void
}

/** Starts nodes, and attacks them under one fault after the other. @returns the reports of all of them */
export async function runNodes ({ nodes, durationMs, seed, say }: NodesRun): Promise<PromiseReport[]> {
  const ends: Array<() => unknown> = []
  const folder = mkdtempSync(join(tmpdir(), 'tidelog-conformance-'))
  try {
    const suite = { testdir: () => folder, teardown: (end: () => unknown) => { ends.push(end) } }
    const { urls, faults } = await startFaultyCluster(suite, nodes)
    const all: PromiseReport[] = []
    for (const fault of faults) {
      say(`\n${fault.name}: ${durationMs / 1_000} s`)
      const control = controlOf([fault], faultMs)
      const given = { durationMs, seed, killEveryMs: faultEveryMs, scenes: false, say }
      const reports = await runConformance({ urls, control, ...given })
      const ofLoad = reports.filter(({ promise }) => !promise.startsWith('§'))
      say(textOf(ofLoad))
      all.push(...ofLoad)
    }
    return all
  } finally {
    for (const end of ends) await end()
    rmSync(folder, { recursive: true, force: true })
  }
}
