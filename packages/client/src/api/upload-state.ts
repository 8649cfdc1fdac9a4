import type { Core } from '../core.ts'
import { filesOf } from '../pure/outbox.ts'
import { Value } from '../readable.ts'

/** How far the files of the outbox are. */
export class UploadState {
  readonly progress = new Value<ReadonlyMap<string, number>>(new Map())

  constructor (core: Core) {
    core.changed.add(changed => {
      const held = this.progress.get()
      if (held.size === 0 || (changed !== 'all' && changed.batch.settle === undefined)) return
      const keys = new Set(core.engine?.operations.flatMap(filesOf).map(({ key }) => key))
      const left = [...held].filter(([key]) => keys.has(key))
      if (left.length < held.size) this.progress.set(new Map(left))
    })
  }

  /** The tab that talks to the server tells. */
  hear ({ key, sent }: { key: string, sent: number }): void {
    this.progress.set(new Map(this.progress.get()).set(key, sent))
  }
}
