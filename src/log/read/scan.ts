import { type Collection, type Document, type Filter, MongoError, MongoServerSelectionError } from 'mongodb'
import { type StoredRow, rowsOfReply } from './stored-row.ts'
import type { LogRow } from '../model/types.ts'

/** What is read of a log: so many rows in the order of an index. */
export interface Scan {
  filter: Filter<LogRow>
  sort: Document
  /** The index. */
  hint: string
  limit: number
}

/** Rows in the order of their scan. */
export interface ScanResult {
  rows: StoredRow[]
  /** Fewer than there are up to the limit: no more go into one reply. */
  isTruncated: boolean
}

/**
 * Reads rows as they are stored, out of one reply of the database. The driver's cursors would make some twenty objects of
 * each row even where the row itself is wanted as bytes, and that is most of what a page costs.
 */
export async function scanLog (log: Collection<LogRow>, scan: Scan): Promise<ScanResult> {
  const { cursor } = await retryOnce(() => log.db.command({
    find: log.collectionName, ...scan, batchSize: scan.limit + 1, readConcern: log.readConcern
  }, { raw: true, ignoreUndefined: true }))
  const { rows, cursorId } = rowsOfReply(cursor as Uint8Array)
  if (cursorId !== 0n) void log.db.command({ killCursors: log.collectionName, cursors: [cursorId] }).catch(() => {})
  return { rows, isTruncated: cursorId !== 0n }
}

/** A read that fails is tried once more, as the driver does with those that it makes itself. */
async function retryOnce<T> (read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof MongoError) || error instanceof MongoServerSelectionError) throw error
    return await read()
  }
}
