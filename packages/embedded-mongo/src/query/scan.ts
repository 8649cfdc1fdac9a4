/** Visits the records of a plan in the plan's order. A scan can stop at any record and continue later. */
import { fromBytes, RECORD_ID_BYTES } from '../store/keys.ts'
import type { Collection } from '../store/collection.ts'
import { isMultikey } from '../store/index-definition.ts'
import type { Index } from '../store/index-definition.ts'
import type { View } from '../store/view.ts'

/** A half-open range of full keys. */
export type KeyRange = { readonly lower: string, readonly upper: string }

/** A scan of one index, or of the collection itself in natural order. */
export type Leg = {
  readonly index: Index | undefined
  /** Ascending and disjoint. */
  readonly ranges: readonly KeyRange[]
  readonly reverse: boolean
}

/** The records of all legs, each once. */
export type ScanPlan = { readonly collection: Collection, readonly legs: readonly Leg[] }

export class RecordScan {
  readonly #plan: ScanPlan
  /** Records visited already, if a document can have several keys. */
  #seen: Set<string> | undefined
  #leg = 0
  #range = 0
  /** The last key visited in the current range; undefined at its beginning. */
  #after: string | undefined
  keysExamined = 0
  recordsVisited = 0

  constructor (plan: ScanPlan) {
    this.#plan = plan
    if (plan.legs.length > 1) this.#seen = new Set()
  }

  /** Visits document keys until `visit` returns false. @returns whether all are visited */
  run (view: View, visit: (documentKey: string) => boolean): boolean {
    const { legs } = this.#plan
    for (; this.#leg < legs.length; this.#leg++) {
      const { index, ranges, reverse } = legs[this.#leg]!
      if (index !== undefined && isMultikey(index)) this.#seen ??= new Set()
      for (; this.#range < ranges.length; this.#range++) {
        const range = ranges[reverse ? ranges.length - 1 - this.#range : this.#range]!
        if (!this.#runRange(view, index, range, reverse, visit)) return false
        this.#after = undefined
      }
      this.#range = 0
    }
    return true
  }

  #runRange (
    view: View, index: Index | undefined, range: KeyRange, reverse: boolean, visit: (documentKey: string) => boolean
  ): boolean {
    const lower = !reverse && this.#after !== undefined ? this.#after + '\0' : range.lower
    const upper = reverse && this.#after !== undefined ? this.#after : range.upper
    if (lower >= upper) return true
    const { prefix } = this.#plan.collection
    const unique = index?.unique === true
    let stopped = false
    const step = (key: string, record?: string): boolean => {
      this.#after = key
      let documentKey = key
      if (index !== undefined) {
        this.keysExamined++
        documentKey = prefix + (record ?? (unique ? fromBytes(view.peek(key)!) : key.slice(-RECORD_ID_BYTES)))
      }
      if (this.#seen !== undefined) {
        if (this.#seen.has(documentKey)) return true
        this.#seen.add(documentKey)
      }
      this.recordsVisited++
      stopped = !visit(documentKey)
      return !stopped
    }
    // One whole unique key needs no iterator: `upper` is the first string above `lower`.
    if (unique && upper === lower + '\0') {
      const record = view.peek(lower)
      if (record !== undefined) step(lower, fromBytes(record))
    } else {
      view.scan(lower, upper, reverse, step)
    }
    return !stopped
  }
}
