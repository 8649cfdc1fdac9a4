/**
 * The collections and indexes that exist. They are held in memory and stored under the prefix 0 of the same LMDB map,
 * so that a change of the catalog commits together with the data it describes. Ids are never reused, so the data of a
 * dropped collection can be deleted later.
 */
import { randomUUID } from 'node:crypto'
import { encode, decode } from '../bson/index.ts'
import { Binary, docOf, int32, toNumber } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import { Collection, type MarkIndex } from './collection.ts'
import { defineIndex, indexFromRecord, indexRecord } from './index-definition.ts'
import type { Index } from './index-definition.ts'
import { fromBytes, prefixOf } from './keys.ts'
import type { Store } from './store.ts'
import { Transaction } from './transaction.ts'
import type { Writer } from './writer.ts'

const META = prefixOf(0)
const FORMAT_KEY = META + 'format'
const NEXT_ID_KEY = META + 'next-id'
const COLLECTIONS = META + 'collection:'
const DROPPED = META + 'dropped:'
/** Never stored, only locked, with a namespace appended: by the writer that creates its collection. */
const CREATING = META + 'creating:'
const FORMAT = 'embedded-mongo 1'

export class Catalog {
  readonly #store: Store
  readonly #byNamespace = new Map<string, Collection>()
  /** For each namespace, the commit that last changed it in the catalog: older snapshots must not use it. */
  readonly #changed = new Map<string, number>()
  #nextId = 1

  constructor (store: Store) {
    this.#store = store
    this.#load()
  }

  get (namespace: string): Collection | undefined {
    return this.#byNamespace.get(namespace)
  }

  all (): Iterable<Collection> {
    return this.#byNamespace.values()
  }

  changedSince (namespace: string, seq: number): boolean {
    return (this.#changed.get(namespace) ?? 0) > seq
  }

  /** Creates a collection. If a transaction does so, others see it only after the commit. */
  create (writer: Writer, database: string, name: string): Collection {
    // Without the lock, two writers could each create a collection of this name.
    writer.lock(`${CREATING}${database}.${name}`)
    const uuid = new Binary(Buffer.from(randomUUID().replaceAll('-', ''), 'hex'), 4)
    const collection = new Collection(this.#store.view, this.#mark, this.#takeId(), database, name, uuid)
    const idSpec = docOf({ v: int32(2), key: docOf({ _id: int32(1) }), name: '_id_' })
    collection.indexes.push(defineIndex(this.#takeId(), idSpec))
    const publish = () => {
      this.#byNamespace.set(collection.namespace, collection)
      this.save(collection)
    }
    if (writer instanceof Transaction) {
      writer.created.set(collection.namespace, { collection, publish })
    } else {
      this.#store.nextCommit()
      publish()
    }
    return collection
  }

  /** Adds an index that writes maintain from now on. Reads use it after `markReady`. */
  addIndex (collection: Collection, spec: Doc): Index {
    const index = defineIndex(this.#takeId(), spec, { ready: false, arrays: [], truncated: false })
    collection.indexes.push(index)
    this.#change(collection)
    return index
  }

  markReady (collection: Collection, index: Index): void {
    index.ready = true
    this.#change(collection)
    index.readySeq = this.#store.seq
  }

  /** The index's entries are deleted later. */
  removeIndex (collection: Collection, index: Index): void {
    collection.indexes.splice(collection.indexes.indexOf(index), 1)
    index.dropped = true
    this.#change(collection)
    this.#store.put(DROPPED + index.prefix, Buffer.alloc(1))
  }

  drop (collection: Collection): void {
    collection.dropped = true
    this.#byNamespace.delete(collection.namespace)
    this.#changed.set(collection.namespace, this.#store.nextCommit())
    for (const { prefix } of [collection, ...collection.indexes]) this.#store.put(DROPPED + prefix, Buffer.alloc(1))
    this.#store.put(COLLECTIONS + collection.prefix, null)
  }

  /** The ids whose data is to be deleted. */
  dropped (): number[] {
    const ids: number[] = []
    this.#store.view.scan(DROPPED, DROPPED + '\xff\xff\xff\xff', false, key => {
      ids.push(Buffer.from(key.slice(-4), 'latin1').readUInt32BE())
      return true
    })
    return ids
  }

  reclaimed (id: number): void {
    this.#store.nextCommit()
    this.#store.put(DROPPED + prefixOf(id), null)
  }

  readonly #mark: MarkIndex = (collection, index, arrays, truncated) => {
    if (arrays.length > 0) index.arrays = [...index.arrays, ...arrays]
    index.truncated ||= truncated
    // A collection that only its transaction sees is saved when that commits.
    if (this.#byNamespace.get(collection.namespace) !== collection) return
    this.#store.nextCommit()
    this.save(collection)
  }

  save (collection: Collection): void {
    // An index build may end after a drop, and must not bring the collection back.
    if (collection.dropped) return
    this.#store.put(COLLECTIONS + collection.prefix, encode(docOf({
      database: collection.database,
      name: collection.name,
      uuid: collection.uuid,
      indexes: collection.indexes.map(indexRecord)
    })))
  }

  /** Returns to the catalog that is on disk. */
  reload (): void {
    for (const collection of this.#byNamespace.values()) collection.dropped = true
    this.#byNamespace.clear()
    this.#load()
  }

  #change (collection: Collection): void {
    this.#changed.set(collection.namespace, this.#store.nextCommit())
    this.save(collection)
  }

  #takeId (): number {
    const id = this.#nextId++
    this.#store.nextCommit()
    this.#store.put(NEXT_ID_KEY, encode(docOf({ id: this.#nextId })))
    return id
  }

  #load (): void {
    const { view } = this.#store
    const format = view.get(FORMAT_KEY)
    if (format === undefined) {
      if (!isEmpty(this.#store)) throw new Error('the database file does not contain data of this engine')
      this.#store.nextCommit()
      this.#store.put(FORMAT_KEY, Buffer.from(FORMAT))
    } else if (fromBytes(format) !== FORMAT) {
      throw new Error(`the database file has another format (${JSON.stringify(fromBytes(format).slice(0, 40))})`)
    }
    const next = view.get(NEXT_ID_KEY)
    this.#nextId = next === undefined ? 1 : toNumber(decode(next).get('id'))
    view.scan(COLLECTIONS, COLLECTIONS + '\xff\xff\xff\xff', false, key => {
      this.#loadCollection(key.slice(-4), decode(view.get(key)!))
      return true
    })
  }

  #loadCollection (prefix: string, record: Doc): void {
    const id = Buffer.from(prefix, 'latin1').readUInt32BE()
    const collection = new Collection(this.#store.view, this.#mark, id,
      record.get('database') as string, record.get('name') as string, record.get('uuid') as Binary)
    const indexes = (record.get('indexes') as Value[]).map(index => indexFromRecord(index as Doc))
    collection.indexes.push(...indexes.filter(index => index.ready))
    // An index that is not ready: its build ended with the process and was never acknowledged.
    for (const index of indexes) {
      if (index.ready) continue
      this.#store.nextCommit()
      this.#store.put(DROPPED + index.prefix, Buffer.alloc(1))
      this.save(collection)
    }
    this.#byNamespace.set(collection.namespace, collection)
  }
}

function isEmpty (store: Store): boolean {
  let empty = true
  store.view.scan('\0', '\xff\xff\xff\xff', false, () => (empty = false))
  return empty
}
