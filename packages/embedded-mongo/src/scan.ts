/** Walks the records a plan names, in the plan's order, and can be left and taken up again at any record. */
import { fromBytes, RECORD_ID_BYTES } from './store/keys.ts'
import type { Collection } from './store/collection.ts'
import type { Index } from './store/index-definition.ts'
import type { View } from './store/view.ts'

/** A half-open range of full keys. */
export type KeyRange = { readonly lower: string, readonly upper: string }

export type ScanPlan = {
  readonly collection: Collection
  /** Undefined: the collection itself, in natural order. */
  readonly index: Index | undefined
  /** Ascending and disjoint. */
  readonly ranges: readonly KeyRange[]
  readonly reverse: boolean
  /** When set, the records of all these plans, each once, and nothing of the above. */
  readonly union?: readonly ScanPlan[]
}

export class RecordScan {
  readonly #plan: ScanPlan
  /** Records already given, where one document can have several keys. */
  #seen: Set<string> | undefined
  readonly #parts: readonly RecordScan[] | undefined
  #part = 0
  #range = 0
  /** Where the current range goes on; undefined at its beginning. */
  #after: string | undefined
  keysExamined = 0
  recordsVisited = 0

  constructor (plan: ScanPlan) {
    this.#plan = plan
    this.#parts = plan.union?.map(part => new RecordScan(part))
    if (plan.union !== undefined) this.#seen = new Set()
  }

  /** Visits document keys until `visit` returns false or all are visited; true when all are. */
  run (view: View, visit: (documentKey: string) => boolean): boolean {
    if (this.#parts !== undefined) return this.#runParts(view, visit)
    const { ranges, reverse, index } = this.#plan
    if (index?.multikey === true) this.#seen ??= new Set()
    for (; this.#range < ranges.length; this.#range++) {
      const range = ranges[reverse ? ranges.length - 1 - this.#range : this.#range]!
      if (!this.#runRange(view, range, visit)) return false
      this.#after = undefined
    }
    return true
  }

  #runParts (view: View, visit: (documentKey: string) => boolean): boolean {
    const visitNew = (key: string): boolean => {
      if (this.#seen!.has(key)) return true
      this.#seen!.add(key)
      this.recordsVisited++
      return visit(key)
    }
    for (; this.#part < this.#parts!.length; this.#part++) {
      const part = this.#parts![this.#part]!
      const before = part.keysExamined
      const exhausted = part.run(view, visitNew)
      this.keysExamined += part.keysExamined - before
      if (!exhausted) return false
    }
    return true
  }

  #runRange (view: View, range: KeyRange, visit: (documentKey: string) => boolean): boolean {
    const { reverse, index, collection } = this.#plan
    const lower = !reverse && this.#after !== undefined ? this.#after + '\0' : range.lower
    const upper = reverse && this.#after !== undefined ? this.#after : range.upper
    if (lower >= upper) return true
    const unique = index?.unique === true
    let stopped = false
    const step = (key: string): boolean => {
      this.keysExamined++
      this.#after = key
      const documentKey = index === undefined
        ? key
        : collection.prefix + (unique ? recordAt(view, key) : key.slice(-RECORD_ID_BYTES))
      if (this.#seen !== undefined) {
        if (this.#seen.has(documentKey)) return true
        this.#seen.add(documentKey)
      }
      this.recordsVisited++
      if (visit(documentKey)) return true
      stopped = true
      return false
    }
    // One whole unique key: `upper` is the first string above `lower`. No iterator needed.
    if (unique && upper === lower + '\0') {
      if (view.has(lower)) step(lower)
    } else {
      view.scan(lower, upper, reverse, step)
    }
    return !stopped
  }
}

function recordAt (view: View, key: string): string {
  return fromBytes(view.peek(key)!)
}
