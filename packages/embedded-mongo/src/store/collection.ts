/** One collection, with its indexes and its next record id. */
import type { Binary } from '../values/values.ts'
import type { Index } from './index-definition.ts'
import { prefixEnd, prefixOf, recordId, recordNumber, RECORD_ID_BYTES } from './keys.ts'
import type { View } from './view.ts'

/**
 * Stores that an index has several keys for one document, as further paths lead through arrays, or a truncated key.
 * Must be called before the first such entry.
 */
export type MarkIndex = (collection: Collection, index: Index, arrays: readonly string[], truncated: boolean) => void

export class Collection {
  readonly #latest: View
  readonly #markIndex: MarkIndex
  readonly id: number
  readonly prefix: string
  readonly end: string
  readonly database: string
  readonly name: string
  readonly namespace: string
  readonly uuid: Binary
  /** The first is always `_id_`. */
  readonly indexes: Index[] = []
  /** Commands that still read it must stop. */
  dropped = false
  #nextRecord = 0

  constructor (latest: View, markIndex: MarkIndex, id: number, database: string, name: string, uuid: Binary) {
    this.#latest = latest
    this.#markIndex = markIndex
    this.id = id
    this.prefix = prefixOf(id)
    this.end = prefixEnd(id)
    this.database = database
    this.name = name
    this.namespace = `${database}.${name}`
    this.uuid = uuid
  }

  /** A record id above all stored ones, and above all that this process has assigned. */
  takeRecordId (): string {
    if (this.#nextRecord === 0) this.#nextRecord = this.#lastStored() + 1
    return recordId(this.#nextRecord++)
  }

  /** Stores the flags that the next entry makes true, if they are not set already. */
  markIndex (index: Index, arrays: readonly string[], truncated: boolean): void {
    const more = arrays.filter(path => !index.arrays.includes(path))
    if (more.length > 0 || (truncated && !index.truncated)) this.#markIndex(this, index, more, truncated)
  }

  #lastStored (): number {
    let last = 0
    this.#latest.scan(this.prefix, this.end, true, key => {
      last = recordNumber(key.slice(-RECORD_ID_BYTES))
      return false
    })
    return last
  }
}
