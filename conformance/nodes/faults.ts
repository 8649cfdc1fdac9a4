import { setTimeout as delay } from 'node:timers/promises'
import type { Control } from '../deployment.ts'

/** What happens to a cluster for a while. */
export interface Fault {
  name: string
  begin: () => Promise<unknown>
  /** Resolves when the cluster is whole again. */
  end: () => Promise<unknown>
}

/** Faults one after the other, each for so many milliseconds, again and again. */
export function controlOf (faults: readonly Fault[], lastsMs: number): Control {
  let turn = -1
  const current = () => faults[Math.max(0, turn) % faults.length]!
  return {
    kill: async () => {
      turn++
      await current().begin()
      await delay(lastsMs)
    },
    start: async () => { await current().end() },
    describe: () => faults[(turn + 1) % faults.length]!.name
  }
}
