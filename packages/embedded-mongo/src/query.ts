/** A query made ready: its plan, and the three ways of running it (streaming, sorted, first matches for a write). */
import { decode, encode } from './bson-bytes.ts'
import { mongoError } from './errors.ts'
import { matches, parseFilter } from './filter.ts'
import type { Filter } from './filter.ts'
import { sortKey } from './key-bytes.ts'
import type { IndexField } from './key-bytes.ts'
import type { DocumentSource } from './cursors.ts'
import { ArraySource } from './array-source.ts'
import { choosePlan } from './planner.ts'
import type { Plan } from './planner.ts'
import type { ReplyBatch } from './reply-batch.ts'
import { RecordScan } from './scan.ts'
import type { Catalog } from './store/catalog.ts'
import type { Collection } from './store/collection.ts'
import type { Index } from './store/index-definition.ts'
import type { View } from './store/view.ts'
import type { Doc, Value } from './values.ts'

/** Documents kept to be sorted; beyond it a real server would go to disk, this one refuses. */
const SORT_BYTES_MAX = 100 * 1024 * 1024

/** Documents decoded at once for a pipeline. */
const PORTION = 256

export type QueryOptions = {
  readonly sort?: readonly IndexField[]
  readonly hint?: Value | undefined
  readonly skip?: number
  /** Infinity for no limit. */
  readonly limit?: number
  readonly project?: ((doc: Doc) => Doc) | undefined
}

/** `seq` is the newest commit the reader sees; `deadlineMs` is when it must give up. */
export type Reader = { readonly seq: number, readonly deadlineMs: number }

export type Match = { readonly key: string, readonly doc: Doc }

export class Query {
  readonly filter: Filter
  readonly plan: Plan
  readonly sort: readonly IndexField[]
  readonly skip: number
  readonly limit: number
  readonly project: ((doc: Doc) => Doc) | undefined
  deadlineMs: number

  constructor (collection: Collection, filter: Filter, reader: Reader, options: QueryOptions = {}) {
    this.filter = filter
    this.sort = options.sort ?? []
    this.skip = options.skip ?? 0
    this.limit = options.limit ?? Infinity
    this.project = options.project
    this.deadlineMs = reader.deadlineMs
    this.plan = choosePlan(collection, { filter, sort: this.sort, hint: options.hint, seq: reader.seq })
  }

  /** The documents for a cursor. */
  source (view: View): DocumentSource {
    if (this.plan.sorted) return new ScanSource(this)
    return new ArraySource(this.sortedDocuments(view))
  }

  sortedDocuments (view: View): Buffer[] {
    const found: { order: Buffer, bytes: Buffer }[] = []
    let total = 0
    this.each(view, (_key, bytes, doc) => {
      total += bytes.length
      if (total > SORT_BYTES_MAX) throw mongoError('QueryExceededMemoryLimitNoDiskUseAllowed', `Sort exceeded memory limit of ${SORT_BYTES_MAX} bytes, but did not opt in to external sorting.`)
      found.push({ order: sortKey(this.sort, doc ?? decode(bytes)), bytes: Buffer.from(bytes) })
      return true
    })
    // Array.prototype.sort is stable: equal keys stay in the order they were found.
    found.sort((a, b) => Buffer.compare(a.order, b.order))
    const wanted = found.slice(this.skip, this.limit === Infinity ? undefined : this.skip + this.limit)
    return wanted.map(({ bytes }) => this.project === undefined ? bytes : encode(this.project(decode(bytes))))
  }

  /** The first matches in the order asked for, as far as `limit`; for writes, which look at each again. */
  matches (view: View): Match[] {
    const found: (Match & { order?: Buffer })[] = []
    const { sorted } = this.plan
    this.each(view, (key, bytes, known) => {
      const doc = known ?? decode(bytes)
      found.push(sorted ? { key, doc } : { key, doc, order: sortKey(this.sort, doc) })
      return !sorted || found.length < this.limit
    })
    if (sorted) return found
    found.sort((a, b) => Buffer.compare(a.order!, b.order!))
    return found.slice(0, this.limit === Infinity ? undefined : this.limit)
  }

  /** How many match, skipping and limiting as asked. */
  countMatches (view: View, enough = this.skip + this.limit): number {
    let found = 0
    this.each(view, () => ++found < enough)
    return Math.max(0, Math.min(found - this.skip, this.limit))
  }

  /** The documents, read in portions as they are asked for. */
  * documents (view: View): Iterable<Doc> {
    if (!this.plan.sorted) {
      for (const bytes of this.sortedDocuments(view)) yield decode(bytes)
      return
    }
    const scan = new RecordScan(this.plan)
    let skip = this.skip
    let left = this.limit
    for (let exhausted = false; !exhausted && left > 0;) {
      const portion: Doc[] = []
      exhausted = this.each(view, (_key, bytes, doc) => {
        if (skip > 0) {
          skip--
          return true
        }
        portion.push(doc ?? decode(bytes))
        return portion.length < PORTION && portion.length < left
      }, scan)
      left -= portion.length
      yield * portion
    }
  }

  /**
   * Visits matching documents in the plan's order, whatever `skip` and `limit` say, until `visit` returns false.
   * `bytes` live only until `visit` returns; `doc` is given where matching had to decode it.
   */
  each (view: View, visit: (key: string, bytes: Buffer, doc: Doc | undefined) => boolean, scan = new RecordScan(this.plan)): boolean {
    const { covered } = this.plan
    let looked = 0
    return scan.run(view, key => {
      if ((++looked & 1023) === 0 && Date.now() > this.deadlineMs) throw mongoError('MaxTimeMSExpired', 'operation exceeded time limit')
      const bytes = view.peek(key)
      if (bytes === undefined) return true
      if (covered) return visit(key, bytes, undefined)
      const doc = decode(bytes)
      return matches(this.filter, doc) ? visit(key, bytes, doc) : true
    })
  }
}

function indexesOf (plan: Plan): Index[] {
  if (plan.union !== undefined) return plan.union.flatMap(indexesOf)
  return plan.index === undefined ? [] : [plan.index]
}

class ScanSource implements DocumentSource {
  readonly #query: Query
  readonly #scan: RecordScan
  #skip: number
  #left: number
  /** Found, but there was no room for it in the last batch. */
  #pending: Buffer | undefined

  constructor (query: Query) {
    this.#query = query
    this.#scan = new RecordScan(query.plan)
    this.#skip = query.skip
    this.#left = query.limit
  }

  isAlive (catalog: Catalog): boolean {
    const { plan } = this.#query
    if (catalog.byId(plan.collection.id) !== plan.collection) return false
    return indexesOf(plan).every(index => plan.collection.indexes.includes(index))
  }

  fill (view: View, batch: ReplyBatch, limit: number): boolean {
    if (limit <= 0) return false
    let room = limit
    if (this.#pending !== undefined) {
      batch.add(this.#pending)
      this.#pending = undefined
      room--
    }
    if (this.#left <= 0) return true
    if (room <= 0) return false
    const { project } = this.#query
    const exhausted = this.#query.each(view, (_key, bytes, doc) => {
      if (this.#skip > 0) {
        this.#skip--
        return true
      }
      this.#left--
      const document = project === undefined ? bytes : encode(project(doc ?? decode(bytes)))
      if (!batch.hasRoom(document.length)) {
        this.#pending = Buffer.from(document)
        return false
      }
      batch.add(document)
      return --room > 0 && this.#left > 0
    }, this.#scan)
    return this.#pending === undefined && (exhausted || this.#left <= 0)
  }
}

export function parseQueryFilter (filter: Doc | undefined): Filter {
  return parseFilter(filter ?? new Map())
}
