/** Work in small portions between commands: building an index, and reclaiming what a drop left behind. */
import { decode } from '../bson-bytes.ts'
import type { Catalog } from './catalog.ts'
import type { Collection } from './collection.ts'
import { keysOf } from './documents.ts'
import { duplicateKey } from './duplicate-key.ts'
import type { Index } from './index-definition.ts'
import { prefixEnd, prefixOf, toBytes, fromBytes, RECORD_ID_BYTES } from './keys.ts'
import type { Store } from './store.ts'

const PORTION = 1_000

/**
 * Enters all documents into an index that writes keep already. A document changed meanwhile is right either way:
 * its writer maintains the entries, and entering it again changes nothing.
 */
export async function buildIndex (store: Store, catalog: Catalog, collection: Collection, index: Index): Promise<void> {
  let from: string | undefined = collection.prefix
  while (from !== undefined && catalog.byId(collection.id) === collection && collection.indexes.includes(index)) {
    from = buildPortion(store, catalog, collection, index, from)
    await store.durable()
  }
}

/** Enters one portion; returns where the next begins. */
function buildPortion (store: Store, catalog: Catalog, collection: Collection, index: Index, from: string): string | undefined {
  const records: string[] = []
  store.latest.scan(from, collection.end, false, key => records.push(key) < PORTION)
  for (const key of records) {
    const doc = decode(store.latest.peek(key)!)
    const record = key.slice(-RECORD_ID_BYTES)
    const keys = keysOf(catalog, collection, index, doc)
    if (keys.length > 0) store.nextCommit()
    for (const entry of keys) {
      if (!index.unique) {
        store.put(entry + record, Buffer.alloc(0))
        continue
      }
      const holder = store.latest.peek(entry)
      if (holder !== undefined && fromBytes(holder) !== record) throw duplicateKey(collection, index, doc)
      store.put(entry, toBytes(record))
    }
  }
  return records.length < PORTION ? undefined : records[records.length - 1]! + '\0'
}

/** Deletes everything under the ids that drops have left. */
export async function reclaim (store: Store, catalog: Catalog): Promise<void> {
  for (const id of catalog.dropped()) {
    while (!store.closed) {
      const keys: string[] = []
      store.latest.scan(prefixOf(id), prefixEnd(id), false, key => keys.push(key) < PORTION)
      store.nextCommit()
      for (const key of keys) store.put(key, null)
      if (keys.length < PORTION) catalog.reclaimed(id)
      await store.durable()
      if (keys.length < PORTION) break
    }
  }
}
