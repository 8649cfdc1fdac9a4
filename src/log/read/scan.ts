import { type Collection, type Document, type Filter, MongoError, MongoServerSelectionError } from 'mongodb'
import { type StoredRow, rowsOfReply } from './stored-row.ts'
import type { LogRow } from '../model/types.ts'
import { isBrokenConnection } from '../../lib/broken-connection.ts'

/** A query for `limit` rows of a log in the order of an index. */
export interface Scan {
  filter: Filter<LogRow>
  sort: Document
  /** Name of the index. */
  hint: string
  limit: number
}

export interface ScanResult {
  rows: StoredRow[]
  /** One reply of the database could not hold all rows up to the limit. */
  isTruncated: boolean
}

/**
 * Reads rows as bytes out of one reply of the database. The driver's cursors would make some twenty objects of each row
 * even if only its bytes are wanted, and those objects would be most of the cost of a page.
 */
export async function scanLog (collection: Collection<LogRow>, scan: Scan): Promise<ScanResult> {
  const { cursor } = await retryOnce(() => collection.db.command({
    find: collection.collectionName, ...scan, batchSize: scan.limit + 1, readConcern: collection.readConcern
  }, { raw: true, ignoreUndefined: true }))
  const { rows, cursorId } = rowsOfReply(cursor as Uint8Array)
  if (cursorId !== 0n) {
    void collection.db.command({ killCursors: collection.collectionName, cursors: [cursorId] }).catch(() => {})
  }
  return { rows, isTruncated: cursorId !== 0n }
}

/** Tries a failed read once more, as the driver does with its own reads. */
async function retryOnce<T> (read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const isLost = error instanceof MongoError || isBrokenConnection(error)
    if (!isLost || error instanceof MongoServerSelectionError) throw error
    return await read()
  }
}
