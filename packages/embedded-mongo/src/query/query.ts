/** A planned query, which supplies its documents a slice at a time. */
import { decode } from '../bson/index.ts'
import { mongoError } from '../values/errors.ts'
import { matches } from '../filter/index.ts'
import type { Filter } from '../filter/index.ts'
import { sortKey } from '../keys/key-bytes.ts'
import type { IndexField } from '../keys/key-bytes.ts'
import { choosePlan } from './planner.ts'
import type { Plan } from './planner.ts'
import { RecordScan } from './scan.ts'
import { Sorter } from './sorter.ts'
import type { Collection } from '../store/collection.ts'
import type { View } from '../store/view.ts'
import type { Supply, Take } from './supply.ts'
import { Slice } from '../values/slices.ts'
import type { Progress } from '../values/slices.ts'
import type { Doc, Value } from '../values/values.ts'

export type QueryOptions = {
  readonly sort?: readonly IndexField[]
  readonly hint?: Value | undefined
  readonly skip?: number
  /** Infinity for no limit. */
  readonly limit?: number
}

export type Match = { readonly key: string, readonly doc: Doc }

export class Query implements Supply {
  readonly filter: Filter
  readonly view: View
  readonly plan: Plan
  readonly sort: readonly IndexField[]
  readonly skip: number
  readonly limit: number
  readonly scan: RecordScan
  #sorter: Sorter<{ bytes: Buffer, key: string }> | undefined
  #isRead = false
  /** How many documents were skipped or supplied. */
  #supplied = 0

  constructor (collection: Collection, filter: Filter, view: View, options: QueryOptions = {}) {
    const { sort = [], hint, skip = 0, limit = Infinity } = options
    this.filter = filter
    this.view = view
    this.sort = sort
    this.skip = skip
    this.limit = limit
    this.plan = choosePlan(collection, { filter, sort, hint, seq: view.seq })
    this.scan = new RecordScan(this.plan)
  }

  next (take: Take): Progress {
    const end = this.skip + this.limit
    if (this.#supplied >= end) return 'done'
    const counted: Take = (bytes, doc, key) =>
      ++this.#supplied <= this.skip || (take(bytes, doc, key) && this.#supplied < end)
    const progress = this.plan.sorted ? this.#run(counted) : this.#runSorted(counted)
    return this.#supplied >= end ? 'done' : progress
  }

  /** Supplies the matches in the order in which the plan finds them. */
  #run (take: Take): Progress {
    const { view, filter, plan } = this
    if (plan.collection.dropped || plan.legs.some(({ index }) => index?.dropped)) {
      throw mongoError('QueryPlanKilled', 'collection or index dropped while a query was reading it')
    }
    // If further paths lead through arrays since the plan was made, its bounds no longer decide what matches.
    const covered = plan.covered &&
      plan.legs.every(({ index, arrays }) => index === undefined || index.arrays === arrays)
    const slice = new Slice()
    let stopped: Progress = 'enough'
    const exhausted = this.scan.run(view, key => {
      const bytes = view.peek(key)
      if (bytes !== undefined) {
        const doc = covered ? undefined : decode(bytes)
        if ((doc === undefined || matches(filter, doc)) && !take(bytes, doc, key)) return false
      }
      if (!slice.isOver()) return true
      stopped = 'paused'
      return false
    })
    return exhausted ? 'done' : stopped
  }

  /** Reads all matches before it supplies the first. */
  #runSorted (take: Take): Progress {
    const sorter = this.#sorter ??= new Sorter(this.skip + this.limit)
    if (!this.#isRead) {
      const progress = this.#run((bytes, doc, key) => {
        const order = sortKey(this.sort, doc ?? decode(bytes))
        if (sorter.needs(order)) sorter.add(this.#copy(order), { bytes: this.#copy(bytes), key }, bytes.length)
        return true
      })
      if (progress === 'paused') return progress
      this.#isRead = true
    }
    const sorted = sorter.sorted()
    if (sorted === undefined) return 'paused'
    while (this.#supplied < sorted.length) {
      const { bytes, key } = sorted[this.#supplied]!
      if (!take(bytes, undefined, key)) break
    }
    return this.#supplied < sorted.length ? 'enough' : 'done'
  }

  /** With a limit, few of many copies stay: a copy in Node's pool would keep the whole pool buffer alive. */
  #copy (bytes: Buffer): Buffer {
    const copy = this.limit === Infinity ? Buffer.allocUnsafe(bytes.length) : Buffer.allocUnsafeSlow(bytes.length)
    copy.set(bytes)
    return copy
  }
}
