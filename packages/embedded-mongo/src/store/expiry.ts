/** Removes documents whose TTL index says that their time is over. */
import { parseFilter } from '../filter.ts'
import { decode } from '../bson-bytes.ts'
import { Query } from '../query.ts'
import type { Match } from '../query.ts'
import { DateTime, docOf } from '../values.ts'
import type { Catalog } from './catalog.ts'
import type { Collection } from './collection.ts'
import { removeDocument } from './documents.ts'
import type { Index } from './index-definition.ts'
import type { Store } from './store.ts'
import { Locked } from './writer.ts'

/** As many of one index at a time, so that commands need not wait long. */
const PORTION = 1_000

export const EXPIRY_INTERVAL_MS = 60_000

export async function removeExpired (store: Store, catalog: Catalog, nowMs: number): Promise<void> {
  for (const collection of [...catalog.all()]) {
    for (const index of [...collection.indexes]) {
      if (index.expireAfterSeconds === undefined) continue
      while (!store.closed && collection.indexes.includes(index) && removePortion(store, collection, index, nowMs)) {
        await store.durable()
      }
    }
  }
}

/** Removes up to a portion; false when nothing can be removed now. */
function removePortion (store: Store, collection: Collection, index: Index, nowMs: number): boolean {
  const before = DateTime.fromMs(nowMs - index.expireAfterSeconds! * 1_000)
  const filter = parseFilter(docOf({ [index.fields[0]!.path]: docOf({ $lt: before }) }))
  const query = new Query(collection, filter, store.view)
  const expired: Match[] = []
  query.next((bytes, doc, key) => expired.push({ key, doc: doc ?? decode(bytes) }) < PORTION)
  let removed = 0
  for (const { key, doc } of expired) {
    try {
      removeDocument(store, collection, key, doc)
      removed++
    } catch (error) {
      // An open transaction is at work on it: the next round comes.
      if (!(error instanceof Locked)) throw error
    }
  }
  return removed > 0
}
