import { type LogCollections, indexNames } from '../model/collections.ts'
import { scanLog } from './scan.ts'
import type { StoredRow } from './stored-row.ts'
import { type Head, type LogRow, type Rev, type Seq } from '../model/types.ts'

/** A part of a log, in the order of its scan. */
export interface Page<Row = StoredRow> {
  rows: Row[]
  /** There is more behind the last row. */
  hasMore: boolean
}

/**
 * Rows changed after `after`, by ascending rev. The head must have been read *before* this scan: a short page may then
 * be answered with the head's rev as its cursor, and a change that lands meanwhile is found by the next call.
 */
export async function changesAfter ({ rows }: LogCollections, conversationId: string, after: Rev, limit: number): Promise<Page> {
  return pageOf(await scanLog(rows, { filter: { conversationId, rev: { $gt: after } }, sort: { rev: 1 }, hint: indexNames.byRev, limit: limit + 1 }), limit)
}

/** Whole rows behind `after` up to `to`, by ascending rev; of a rev whose row has moved on there is none. */
export async function changesBetween ({ rows }: LogCollections, conversationId: string, after: Rev, to: Rev): Promise<LogRow[]> {
  const limit = to - after
  return await rows.find({ conversationId, rev: { $gt: after, $lte: to } }).sort({ rev: 1 }).hint(indexNames.byRev).limit(limit).batchSize(limit + 1).toArray()
}

/** Rows of a direct conversation changed after a time, by ascending time, which is ascending rev too. */
export async function changesSince ({ rows }: LogCollections, conversationId: string, since: Date, limit: number): Promise<Page> {
  const filter = { conversationId, receiverId: { $exists: true }, updatedAt: { $gt: since } }
  return pageOf(await scanLog(rows, { filter, sort: { updatedAt: 1 }, hint: indexNames.byTime, limit: limit + 1 }), limit)
}

/** Messages before a seq (or the newest), newest first. */
export async function messagesBefore ({ rows }: LogCollections, conversationId: string, before: Seq | undefined, limit: number): Promise<Page> {
  const filter = { conversationId, seq: before === undefined ? { $gt: 0 as Seq } : { $lt: before } }
  return pageOf(await scanLog(rows, { filter, sort: { seq: -1 }, hint: indexNames.bySeq, limit: limit + 1 }), limit)
}

/** Messages after a seq, oldest first, up to a seq. */
export async function messagesAfter ({ rows }: LogCollections, conversationId: string, after: Seq, through: Seq, limit: number): Promise<Page> {
  const filter = { conversationId, seq: { $gt: after, $lte: through } }
  return pageOf(await scanLog(rows, { filter, sort: { seq: 1 }, hint: indexNames.bySeq, limit: limit + 1 }), limit)
}

/** Of a scan that asked for one row more than goes into the page. */
function pageOf ({ rows, isTruncated }: { rows: StoredRow[], isTruncated: boolean }, limit: number): Page {
  return { rows: rows.slice(0, limit), hasMore: isTruncated || rows.length > limit }
}

/** The rev that stands for "everything up to the end of this page". */
export function pageEndRev (page: Page<{ rev: Rev }>, head: Head, after: Rev): Rev {
  const last = page.rows.at(-1)
  if (page.hasMore && last !== undefined) return last.rev
  return last !== undefined && last.rev > head.headRev ? last.rev : head.headRev > after ? head.headRev : after
}
