import { type LogCollections, indexNames } from '../model/collections.ts'
import { type ScanResult, scanLog } from './scan.ts'
import type { StoredRow } from './stored-row.ts'
import { type Head, type LogRow, type Rev, type Seq } from '../model/types.ts'

/** Rows of a log in the order of their scan. */
export interface Page<Row = StoredRow> {
  rows: Row[]
  /** There are more rows after the last one. */
  hasMore: boolean
}

/**
 * Rows changed after `after`, by ascending rev. The head must be read *before* this scan. Then the head's rev may be
 * the cursor of a short page, and the next call finds changes that were committed during the scan.
 */
export async function changesAfter (
  { rows }: LogCollections, conversationId: string, after: Rev, limit: number
): Promise<Page> {
  const filter = { conversationId, rev: { $gt: after } }
  return pageOf(await scanLog(rows, { filter, sort: { rev: 1 }, hint: indexNames.byRev, limit: limit + 1 }), limit)
}

/** Decoded rows after `after` up to `to`, by ascending rev. A rev is missing if its row has changed again. */
export async function changesBetween (
  { rows }: LogCollections, conversationId: string, after: Rev, to: Rev
): Promise<LogRow[]> {
  const limit = to - after
  return await rows.find({ conversationId, rev: { $gt: after, $lte: to } })
    .sort({ rev: 1 }).hint(indexNames.byRev).limit(limit).batchSize(limit + 1).toArray()
}

/** Rows of a direct conversation changed after a time, by ascending time, which is also by ascending rev. */
export async function changesSince (
  { rows }: LogCollections, conversationId: string, since: Date, limit: number
): Promise<Page> {
  const filter = { conversationId, receiverId: { $exists: true }, updatedAt: { $gt: since } }
  const scan = { filter, sort: { updatedAt: 1 }, hint: indexNames.byTime, limit: limit + 1 }
  return pageOf(await scanLog(rows, scan), limit)
}

/** Messages before a seq (or the newest), newest first. */
export async function messagesBefore (
  { rows }: LogCollections, conversationId: string, before: Seq | undefined, limit: number
): Promise<Page> {
  const filter = { conversationId, seq: before === undefined ? { $gt: 0 as Seq } : { $lt: before } }
  return pageOf(await scanLog(rows, { filter, sort: { seq: -1 }, hint: indexNames.bySeq, limit: limit + 1 }), limit)
}

/** Messages after a seq up to another, oldest first. */
export async function messagesAfter (
  { rows }: LogCollections, conversationId: string, after: Seq, through: Seq, limit: number
): Promise<Page> {
  const filter = { conversationId, seq: { $gt: after, $lte: through } }
  return pageOf(await scanLog(rows, { filter, sort: { seq: 1 }, hint: indexNames.bySeq, limit: limit + 1 }), limit)
}

/** The scan has asked for one row more than the page holds. */
function pageOf ({ rows, isTruncated }: ScanResult, limit: number): Page {
  return { rows: rows.slice(0, limit), hasMore: isTruncated || rows.length > limit }
}

/** The rev of the cursor that stands for everything up to the end of this page. */
export function pageEndRev (page: Page<{ rev: Rev }>, head: Head, after: Rev): Rev {
  const last = page.rows.at(-1)
  if (page.hasMore && last !== undefined) return last.rev
  return last !== undefined && last.rev > head.headRev ? last.rev : head.headRev > after ? head.headRev : after
}
