/** One collection: its indexes, the number of its documents, and the next record id. */
import type { Binary } from '../values.ts'
import type { Index } from './index-definition.ts'
import { prefixEnd, prefixOf, recordId, recordNumber, RECORD_ID_BYTES } from './keys.ts'
import type { View } from './view.ts'
import type { Counted } from './writer.ts'

/** Who stores what changes of a collection. */
export interface CollectionKeeper {
  countChanged: (collection: Collection) => void
  /** Remembers that an index holds several keys of a document, or a cut key; must precede the first such entry. */
  mark: (collection: Collection, index: Index, multikey: boolean, truncated: boolean) => void
}

export class Collection implements Counted {
  readonly #latest: View
  readonly keeper: CollectionKeeper
  readonly id: number
  readonly prefix: string
  readonly end: string
  readonly database: string
  readonly name: string
  readonly namespace: string
  readonly uuid: Binary
  /** The first is always `_id_`. */
  readonly indexes: Index[] = []
  /** What still reads it must stop. */
  dropped = false
  count = 0
  #nextRecord = 0

  constructor (latest: View, keeper: CollectionKeeper, id: number, database: string, name: string, uuid: Binary) {
    this.#latest = latest
    this.keeper = keeper
    this.id = id
    this.prefix = prefixOf(id)
    this.end = prefixEnd(id)
    this.database = database
    this.name = name
    this.namespace = `${database}.${name}`
    this.uuid = uuid
  }

  addCount (delta: number): void {
    this.count += delta
    this.keeper.countChanged(this)
  }

  /** A record id above all that were ever given out since the process began, and above all stored ones. */
  takeRecordId (): string {
    if (this.#nextRecord === 0) this.#nextRecord = this.#lastStored() + 1
    return recordId(this.#nextRecord++)
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
