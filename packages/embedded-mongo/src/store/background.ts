/** Work in small portions between commands: building an index, and reclaiming what a drop left behind. */
import { decode } from '../bson/index.ts'
import type { Catalog } from './catalog.ts'
import type { Collection } from './collection.ts'
import { enterDocument } from './documents.ts'
import type { Index } from './index-definition.ts'
import { prefixEnd, prefixOf } from './keys.ts'
import type { Store } from './store.ts'
import { Locked } from './writer.ts'
import type { LockHolder } from './writer.ts'
import { Slice, turn } from '../values/slices.ts'

const PORTION = 1_000

/**
 * Enters all documents into an index that writes keep already, in slices. A document changed meanwhile is right either
 * way: its writer maintains the entries, and entering it again changes nothing.
 */
export async function buildIndex (store: Store, collection: Collection, index: Index): Promise<void> {
  let landed = Promise.resolve()
  for (let from = collection.prefix; from < collection.end && !collection.dropped && !index.dropped;) {
    const { next, holder } = buildSlice(store, collection, index, from)
    from = next
    await turn()
    await holder?.ended
    // One portion is being written while the next is made.
    await landed
    landed = store.durable()
  }
  await landed
}

/** Enters as many documents as a slice allows; returns where the next begins, and what open transaction must end before. */
function buildSlice (store: Store, collection: Collection, index: Index, from: string): { next: string, holder?: LockHolder } {
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

/** Deletes everything under the ids that drops have left. */
export async function reclaim (store: Store, catalog: Catalog): Promise<void> {
  for (const id of catalog.dropped()) {
    await removeKeys(store, prefixOf(id), prefixEnd(id), () => true)
    if (!store.closed) catalog.reclaimed(id)
  }
}

/** Deletes keys in `[lower, upper)`, a portion at a time. */
export async function removeKeys (store: Store, lower: string, upper: string, isGarbage: (key: string) => boolean): Promise<void> {
  for (let from = lower; from < upper && !store.closed;) {
    const garbage: string[] = []
    let looked = 0
    let next = upper
    store.view.scan(from, upper, false, key => {
      if (++looked > PORTION) next = key
      else if (isGarbage(key)) garbage.push(key)
      return looked <= PORTION
    })
    from = next
    if (garbage.length > 0) store.nextCommit()
    for (const key of garbage) store.put(key, null)
    await store.durable()
  }
}
