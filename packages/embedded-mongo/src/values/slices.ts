/**
 * Long work is cut into slices, and other commands run between two slices. Another command may change whatever one
 * slice has read before the next begins. So a scan keeps the key from which it continues, never a value.
 */

import type { Doc } from './values.ts'

/** Milliseconds for which a command may delay the others. */
const SLICE_MS = 5

/** `done`: there is no more. `enough`: the caller wants no more now. `paused`: other commands should run first. */
export type Progress = 'done' | 'enough' | 'paused'

/** Stands among the documents of a pipeline where other commands should run first. Stages pass it on. */
export const PAUSE = Symbol('pause')

/** Documents with pauses between them. At a pause the caller may stop, and continue later. */
export type Flow = Iterable<Doc | typeof PAUSE>

export class Slice {
  #calls = 0
  #endMs = 0

  /** Cheap enough to call after every document. When it returns true, the next slice begins. */
  isOver (): boolean {
    if ((++this.#calls & 31) !== 0) return false
    const nowMs = performance.now()
    if (this.#endMs === 0) this.#endMs = nowMs + SLICE_MS
    if (nowMs <= this.#endMs) return false
    this.#endMs = 0
    return true
  }
}

/** Lets commands run that have arrived meanwhile. */
export async function yieldNow (): Promise<void> {
  await new Promise<void>(resolve => { setImmediate(resolve) })
}
