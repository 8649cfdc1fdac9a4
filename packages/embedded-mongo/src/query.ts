/** A query made ready: its plan, and its matches, a slice at a time. */
import { decode } from './bson-bytes.ts'
import { mongoError } from './errors.ts'
import { matches } from './filter.ts'
import type { Filter } from './filter.ts'
import { sortKey } from './key-bytes.ts'
import type { IndexField } from './key-bytes.ts'
import { choosePlan } from './planner.ts'
import type { Plan } from './planner.ts'
import { RecordScan } from './scan.ts'
import type { Collection } from './store/collection.ts'
import type { View } from './store/view.ts'
import { Slice } from './turns.ts'
import type { Progress } from './turns.ts'
import type { Doc, Value } from './values.ts'

export type QueryOptions = {
  readonly sort?: readonly IndexField[]
  readonly hint?: Value | undefined
  readonly skip?: number
  /** Infinity for no limit. */
  readonly limit?: number
}

export type Match = { readonly key: string, readonly doc: Doc }

/** `bytes` live only until the visit returns; `doc` is given where matching had to decode it. False ends the visits. */
export type Visit = (key: string, bytes: Buffer, doc: Doc | undefined) => boolean

export class Query {
  readonly filter: Filter
  readonly view: View
  readonly plan: Plan
  readonly sort: readonly IndexField[]
  readonly skip: number
  readonly limit: number

  constructor (collection: Collection, filter: Filter, view: View, { sort = [], hint, skip = 0, limit = Infinity }: QueryOptions = {}) {
    this.filter = filter
    this.view = view
    this.sort = sort
    this.skip = skip
    this.limit = limit
    this.plan = choosePlan(collection, { filter, sort, hint, seq: view.seq })
  }

  /** Visits matching documents in the plan's order, whatever `skip` and `limit` say, on from where `scan` is. */
  run (scan: RecordScan, visit: Visit): Progress {
    checkAlive(this.plan)
    const { view, filter } = this
    // An index that has become multikey since the plan was made says less than it did.
    const covered = this.plan.covered && this.plan.index?.multikey !== true
    const slice = new Slice()
    let stopped: Progress = 'enough'
    const exhausted = scan.run(view, key => {
      const bytes = view.peek(key)
      if (bytes !== undefined) {
        const doc = covered ? undefined : decode(bytes)
        if ((doc === undefined || matches(filter, doc)) && !visit(key, bytes, doc)) return false
      }
      if (!slice.isOver()) return true
      stopped = 'paused'
      return false
    })
    return exhausted ? 'done' : stopped
  }
}

function checkAlive (plan: Plan): void {
  if (plan.collection.dropped || plan.index?.dropped === true) throw mongoError('QueryPlanKilled', 'collection or index dropped while a query was reading it')
  plan.union?.forEach(checkAlive)
}

/** Looks for the first match in the order asked for. */
export class FirstMatch {
  readonly #query: Query
  readonly #scan: RecordScan
  #order: Buffer | undefined
  /** The best so far; if it took several slices, it may have changed since it was seen. */
  match: Match | undefined

  constructor (query: Query) {
    this.#query = query
    this.#scan = new RecordScan(query.plan)
  }

  run (): Progress {
    const { plan, sort } = this.#query
    return this.#query.run(this.#scan, (key, bytes, known) => {
      const doc = known ?? decode(bytes)
      const order = plan.sorted ? undefined : sortKey(sort, doc)
      if (order === undefined || this.#order === undefined || Buffer.compare(order, this.#order) < 0) {
        this.#order = order
        this.match = { key, doc }
      }
      return !plan.sorted
    })
  }
}
