/**
 * Work in small portions between commands: building an index, and deleting the data of dropped collections and indexes.
 */
import { decode } from '../bson/index.ts'
import type { Catalog } from './catalog.ts'
import type { Collection } from './collection.ts'
import { enterDocument } from './documents.ts'
import type { Index } from './index-definition.ts'
import { prefixEnd, prefixOf } from './keys.ts'
import type { Store } from './store.ts'
import { Locked } from './writer.ts'
import type { LockHolder } from './writer.ts'
import { Slice, yieldNow } from '../values/slices.ts'

const PORTION = 1_000

/**
 * Enters all documents into a new index, in slices. Writes maintain the index from the beginning, so a document that is
 * changed meanwhile has its entries already, and entering it again changes nothing.
 */
export async function buildIndex (store: Store, collection: Collection, index: Index): Promise<void> {
  let written = Promise.resolve()
  for (let from = collection.prefix; from < collection.end && !collection.dropped && !index.dropped;) {
    const { next, holder } = buildSlice(store, collection, index, from)
    from = next
    await yieldNow()
    await holder?.ended
    // While one portion is written to disk, the next is prepared.
    await written
    written = store.durable()
  }
  await written
}

/** `next` is the key from which the next slice continues, after the transaction `holder` has ended. */
type BuiltSlice = { next: string, holder?: LockHolder }

/** Enters as many documents as a slice allows. */
function buildSlice (store: Store, collection: Collection, index: Index, from: string): BuiltSlice {
  const records: string[] = []
  store.view.scan(from, collection.end, false, key => records.push(key) < PORTION)
  const slice = new Slice()
  for (const key of records) {
    try {
      enterDocument(store, collection, index, key, decode(store.view.peek(key)!))
    } catch (error) {
      if (error instanceof Locked) return { next: key, holder: error.holder }
      throw error
    }
    if (slice.isOver()) return { next: key + '\0' }
  }
  return { next: records.length < PORTION ? collection.end : records.at(-1)! + '\0' }
}

/** Deletes the data of dropped collections and indexes. */
export async function reclaim (store: Store, catalog: Catalog): Promise<void> {
  for (const id of catalog.dropped()) {
    await removeKeys(store, prefixOf(id), prefixEnd(id), () => true)
    if (!store.closed) catalog.reclaimed(id)
  }
}

/** Deletes keys in `[lower, upper)`, a portion at a time. */
export async function removeKeys (
  store: Store, lower: string, upper: string, isGarbage: (key: string) => boolean
): Promise<void> {
  for (let from = lower; from < upper && !store.closed;) {
    const garbage: string[] = []
    let visited = 0
    let next = upper
    store.view.scan(from, upper, false, key => {
      if (++visited > PORTION) next = key
      else if (isGarbage(key)) garbage.push(key)
      return visited <= PORTION
    })
    from = next
    if (garbage.length > 0) store.nextCommit()
    for (const key of garbage) store.put(key, null)
    await store.durable()
  }
}
