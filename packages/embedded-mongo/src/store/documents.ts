/**
 * Writes one document with all its index entries, in one commit. Every check (unique keys, locks, size) is made before
 * the first `put`, so that a refused document leaves no trace.
 */
import { mongoError } from '../values/errors.ts'
import { matches } from '../filter/index.ts'
import { indexKeys } from '../keys/key-bytes.ts'
import { encode } from '../bson/index.ts'
import type { Doc } from '../values/values.ts'
import type { Collection } from './collection.ts'
import { duplicateKey } from './duplicate-key.ts'
import type { Index } from './index-definition.ts'
import { fromBytes, RECORD_ID_BYTES, toBytes } from './keys.ts'
import type { Writer } from './writer.ts'

export const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
const EMPTY = Buffer.alloc(0)
const NO_KEYS: readonly string[] = []

type IndexChange = { index: Index, added: readonly string[], removed: readonly string[] }

/** The keys of a document in an index, with the index's prefix, without a record id. */
function keysOf (collection: Collection, index: Index, doc: Doc | undefined): readonly string[] {
  if (doc === undefined || (index.partial !== undefined && !matches(index.partial, doc))) return NO_KEYS
  const { keys, arrays, truncated } = indexKeys(index.fields, doc)
  collection.markIndex(index, arrays, truncated)
  return keys.map(key => index.prefix + fromBytes(key))
}

/** Inserts a document whose first field is `_id`; `bytes` are stored as they are. */
export function insertDocument (writer: Writer, collection: Collection, bytes: Buffer, doc: Doc): void {
  // No one else can have this key yet, but a transaction must lock its own documents too.
  write(writer, collection, collection.prefix + collection.takeRecordId(), undefined, doc, bytes)
}

export function replaceDocument (writer: Writer, collection: Collection, key: string, before: Doc, after: Doc): void {
  write(writer, collection, key, before, after, encode(after))
}

export function removeDocument (writer: Writer, collection: Collection, key: string, before: Doc): void {
  write(writer, collection, key, before, undefined, null)
}

function write (
  writer: Writer, collection: Collection, key: string, before: Doc | undefined, after: Doc | undefined,
  bytes: Buffer | null
): void {
  if (bytes !== null) checkSize(bytes)
  const changes: IndexChange[] = []
  for (const index of collection.indexes) {
    if (before !== undefined && after !== undefined && !isTouched(index, before, after)) continue
    const change = difference(index, keysOf(collection, index, before), keysOf(collection, index, after))
    if (change !== undefined) changes.push(change)
  }
  const record = key.slice(-RECORD_ID_BYTES)
  writer.lock(key)
  lockUniqueKeys(writer, collection, changes, after, record)
  writer.nextCommit()
  writer.put(key, bytes)
  for (const change of changes) removeEntries(writer, change, record)
  putEntries(writer, changes, record)
}

/**
 * Enters a stored document into an index that is being built. If its writer has entered it already, nothing changes.
 */
export function enterDocument (writer: Writer, collection: Collection, index: Index, key: string, doc: Doc): void {
  const changes = [{ index, added: keysOf(collection, index, doc), removed: NO_KEYS }]
  const record = key.slice(-RECORD_ID_BYTES)
  lockUniqueKeys(writer, collection, changes, doc, record)
  writer.nextCommit()
  putEntries(writer, changes, record)
}

function checkSize (bytes: Buffer): void {
  if (bytes.length <= DOCUMENT_BYTES_MAX) return
  throw mongoError('BSONObjectTooLarge',
    `object to insert too large. size in bytes: ${bytes.length}, max size: ${DOCUMENT_BYTES_MAX}`)
}

/** May a field that the index depends on have changed? An update keeps the value objects that it does not change. */
function isTouched (index: Index, before: Doc, after: Doc): boolean {
  for (const name of index.touchedBy) if (before.get(name) !== after.get(name)) return true
  return false
}

function difference (index: Index, before: readonly string[], after: readonly string[]): IndexChange | undefined {
  if (before.length === 1 && after.length === 1 && before[0] === after[0]) return undefined
  // Sets, as a document may have thousands of keys.
  const [was, is] = [new Set(before), new Set(after)]
  const removed = before.filter(key => !is.has(key))
  const added = after.filter(key => !was.has(key))
  return removed.length + added.length === 0 ? undefined : { index, added, removed }
}

/** Locks the unique keys that are added or removed. @throws MongoError if another document has one of those added */
function lockUniqueKeys (
  writer: Writer, collection: Collection, changes: readonly IndexChange[], after: Doc | undefined, record: string
): void {
  for (const { index, added, removed } of changes) {
    if (!index.unique) continue
    for (const key of added) {
      const holder = writer.view.peek(key)
      if (holder !== undefined && fromBytes(holder) !== record) throw duplicateKey(collection, index, after!)
      writer.lock(key)
    }
    for (const key of removed) writer.lock(key)
  }
}

function putEntries (writer: Writer, changes: readonly IndexChange[], record: string): void {
  let recordBytes: Buffer | undefined
  for (const { index, added } of changes) {
    for (const key of added) {
      if (index.unique) writer.put(key, recordBytes ??= toBytes(record))
      else writer.put(key + record, EMPTY)
    }
  }
}

function removeEntries (writer: Writer, change: IndexChange, record: string): void {
  const { unique, ready } = change.index
  for (const key of change.removed) {
    if (!unique) writer.put(key + record, null)
    // An index that is being built may not have this document yet, and have another one with the same key.
    else if (ready || isOf(writer, key, record)) writer.put(key, null)
  }
}

function isOf (writer: Writer, key: string, record: string): boolean {
  const holder = writer.view.peek(key)
  return holder !== undefined && fromBytes(holder) === record
}
