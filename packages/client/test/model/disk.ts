import { type Held, applyBatch, loadHeld, nothingHeld, rowsHeld } from '../../src/storage/apply-batch.ts'
import type { Batch } from '../../src/pure/state.ts'
import type { AccountStorage } from '../../src/storage/storage.ts'
import type { Spec } from './spec.ts'

/** What outlives the tabs: one disk for all of them. At one commit a tab dies, and at one the disk refuses. */
export class Disk {
  readonly held: Held = nothingHeld()
  isSound = false
  private readonly spec: Pick<Spec, 'diesAt' | 'isStored' | 'refusedAt'>
  private readonly bend: (batch: Batch) => Batch
  private commits = 0

  constructor (spec: Disk['spec'], bend: (batch: Batch) => Batch = batch => batch) {
    this.spec = spec
    this.bend = bend
  }

  /** As one tab sees it. Whoever is dead stores nothing any more. */
  open (tab: { isAlive: boolean }): AccountStorage {
    const { held } = this
    const alive = () => { if (!tab.isAlive) throw new Error('The tab has ended') }
    return {
      load: async () => {
        alive()
        return structuredClone(loadHeld(held))
      },
      rows: async (id, from, to, limit) => rowsHeld(held, id, from, to, limit),
      count: async () => 0,
      file: async key => held.files.get(key),
      commit: async batch => {
        alive()
        return this.commit(batch, tab)
      },
      takeOver: async () => {
        alive()
        return ++held.term
      },
      clear: async () => {},
      close: () => {}
    }
  }

  private commit (batch: Batch, tab: { isAlive: boolean }): number[] {
    const { diesAt, isStored, refusedAt } = this.spec
    const number = this.isSound ? 0 : ++this.commits
    if (number === refusedAt) throw new Error('The disk is full')
    if (number !== diesAt) return applyBatch(this.held, this.bend(batch))
    if (isStored) applyBatch(this.held, this.bend(batch))
    tab.isAlive = false
    throw new Error('The tab dies')
  }
}
