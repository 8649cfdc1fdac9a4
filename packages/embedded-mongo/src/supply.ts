/** Documents for cursors and pipelines, given a few at a time. */
import { decode, encode } from './bson-bytes.ts'
import { sortKey } from './key-bytes.ts'
import type { Query } from './query.ts'
import { RecordScan } from './scan.ts'
import { Sorter } from './sorter.ts'
import { PAUSE, Slice } from './turns.ts'
import type { Flow, Progress } from './turns.ts'
import type { Doc } from './values.ts'

/** Takes a document, whose bytes live only until it returns; false when it has enough. */
export type Take = (bytes: Buffer, doc?: Doc) => boolean

/** Gives documents, and can be left and taken up again between any two. */
export interface Supply { next: (take: Take) => Progress }

/** The documents a query asks for, in order. */
export function supplyOf (query: Query): Supply {
  return query.plan.sorted ? new ScanSupply(query) : new SortedSupply(query)
}

/** All of them at once, for when they are few. */
export function allOf (query: Query): Doc[] {
  const docs: Doc[] = []
  const supply = supplyOf(query)
  while (supply.next((bytes, doc) => docs.push(doc ?? decode(bytes)) > 0) === 'paused');
  return docs
}

export function arraySupply (documents: readonly Buffer[]): Supply {
  let next = 0
  return {
    next: take => {
      while (next < documents.length) if (!take(documents[next++]!)) break
      return next < documents.length ? 'enough' : 'done'
    }
  }
}

/** Documents that are made as they are taken. */
export function flowSupply (docs: Flow): Supply {
  const iterator = docs[Symbol.iterator]()
  const slice = new Slice()
  return {
    next: take => {
      for (;;) {
        const { done, value } = iterator.next()
        if (done === true) return 'done'
        if (value === PAUSE) return 'paused'
        if (!take(encode(value), value)) return 'enough'
        if (slice.isOver()) return 'paused'
      }
    }
  }
}

class ScanSupply implements Supply {
  readonly #query: Query
  readonly #scan: RecordScan
  #skip: number
  #left: number

  constructor (query: Query) {
    this.#query = query
    this.#scan = new RecordScan(query.plan)
    this.#skip = query.skip
    this.#left = query.limit
  }

  next (take: Take): Progress {
    if (this.#left <= 0) return 'done'
    const progress = this.#query.run(this.#scan, (_key, bytes, doc) => {
      if (this.#skip > 0) {
        this.#skip--
        return true
      }
      this.#left--
      return take(bytes, doc) && this.#left > 0
    })
    return this.#left <= 0 ? 'done' : progress
  }
}

/** Reads everything before it gives the first. */
class SortedSupply implements Supply {
  readonly #query: Query
  readonly #scan: RecordScan
  readonly #sorter: Sorter<Buffer>
  #isRead = false
  #sorted: Supply | undefined

  constructor (query: Query) {
    this.#query = query
    this.#scan = new RecordScan(query.plan)
    this.#sorter = new Sorter(query.skip + query.limit)
  }

  next (take: Take): Progress {
    if (!this.#isRead) {
      const progress = this.#query.run(this.#scan, (_key, bytes, doc) => {
        const order = sortKey(this.#query.sort, doc ?? decode(bytes))
        if (this.#sorter.wants(order)) this.#sorter.add(this.#copy(order), this.#copy(bytes), bytes.length)
        return true
      })
      if (progress === 'paused') return progress
      this.#isRead = true
    }
    if (this.#sorted === undefined) {
      const items = this.#sorter.sorted()
      if (items === undefined) return 'paused'
      this.#sorted = arraySupply(items.slice(this.#query.skip))
    }
    return this.#sorted.next(take)
  }

  /** Of few that stay of many, each would hold the whole of Node's pooled buffer that it came to lie in. */
  #copy (bytes: Buffer): Buffer {
    if (this.#query.limit === Infinity) return Buffer.from(bytes)
    const copy = Buffer.allocUnsafeSlow(bytes.length)
    copy.set(bytes)
    return copy
  }
}
