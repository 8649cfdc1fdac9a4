/**
 * One command runs at a time; long work is cut into slices, between which the others go. Whatever is read in one slice
 * may be another's to change before the next: a scan keeps a key to go on from, never what it saw there.
 */

import type { Doc } from './values.ts'

/** What a command may hold the others up for, in milliseconds. */
const SLICE_MS = 5

/** There is no more; whoever takes the results has enough; or others are to go first. */
export type Progress = 'done' | 'enough' | 'paused'

/** Stands among the documents of a pipeline where others are to go first; stages hand it on. */
export const PAUSE = Symbol('pause')

/** Documents, and pauses among them, at which whoever takes them may leave and come back. */
export type Flow = Iterable<Doc | typeof PAUSE>

export class Slice {
  #asked = 0
  #endMs = 0

  /** Cheap enough to be asked after every document. Once it has said yes, the next slice begins. */
  isOver (): boolean {
    if ((++this.#asked & 31) !== 0) return false
    const nowMs = performance.now()
    if (this.#endMs === 0) this.#endMs = nowMs + SLICE_MS
    if (nowMs <= this.#endMs) return false
    this.#endMs = 0
    return true
  }
}

/** Lets what has come in meanwhile go first. */
export async function turn (): Promise<void> {
  await new Promise<void>(resolve => { setImmediate(resolve) })
}
