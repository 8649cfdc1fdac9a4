import type { ObjectId } from 'mongodb'
import { type LogCollections, indexNames } from './model/collections.ts'
import { type Head, type Seq, seqOf } from './model/types.ts'

/**
 * Deletes purged messages. A purge is one mutation that hides messages at once; their rows are deleted here afterwards,
 * some at a time. Rows that are left after a crash have the conversation's lowest seqs, up to the head's `purgedSeq`:
 * the next call finds them there. Several nodes may delete at once.
 *
 * A purge may delete rows during a scan. Such an answer lacks only messages that a purge took after the scan's head was
 * read. So the head is read again after the scan: the answer then says that there is more (src/sync/pull.ts), or takes
 * the purge into account (src/sync/legacy/sync-conversation.ts). This is right on any number of nodes.
 *
 * Danger: only purge messages that are old enough to have a known outcome. An unknown outcome is settled by a search
 * for the row (src/log/commit/unknown-outcome.ts).
 */

export interface DeletePurgedOptions {
  /** Rows that one command deletes. Other operations run between two commands. */
  rowsAtOnce?: number
  /** Called before rows up to this seq are deleted: removes what is kept of them elsewhere. */
  forget?: (conversationId: string, purgedSeq: Seq) => Promise<void>
  signal?: AbortSignal
  /** Called before rows are deleted, with the files that they carry. */
  onFiles?: (ids: ObjectId[]) => Promise<void>
}

/** Deletes the rows that the head says are purged; returns how many. */
export async function deletePurgedRows (
  { rows: collection }: Pick<LogCollections, 'rows'>,
  { _id: conversationId, purgedSeq }: Pick<Head, '_id' | 'purgedSeq'>,
  { rowsAtOnce = 200, forget = async () => {}, onFiles = async () => {}, signal }: DeletePurgedOptions = {}
): Promise<number> {
  let deleted = 0
  if (purgedSeq !== undefined) await forget(conversationId, purgedSeq)
  for (let more = purgedSeq !== undefined; more && signal?.aborted !== true;) {
    const rows = await collection.find(
      { conversationId, seq: { $lte: purgedSeq! } }, { projection: { seq: 1, 'attachments._id': 1 } }
    )
      .sort({ seq: 1 }).hint(indexNames.bySeq).limit(rowsAtOnce).batchSize(rowsAtOnce + 1).toArray()
    const through = rows.at(-1)?.seq
    if (through === undefined) break
    await onFiles(rows.flatMap(({ attachments = [] }) => attachments.map(({ _id }) => _id)))
    const filter = { conversationId, seq: { $lte: through } }
    const { deletedCount } = await collection.deleteMany(filter, { hint: indexNames.bySeq })
    deleted += deletedCount
    more = rows.length === rowsAtOnce
  }
  return deleted
}

/** The oldest stored message, purged or not. */
export async function oldestMessage (
  { rows }: Pick<LogCollections, 'rows'>, conversationId: string, from: Seq = seqOf(1)
): Promise<{ seq: Seq, createdAt: Date } | undefined> {
  const [row] = await rows.find({ conversationId, seq: { $gte: from } }, { projection: { seq: 1, createdAt: 1 } })
    .sort({ seq: 1 }).hint(indexNames.bySeq).limit(1).toArray()
  return row === undefined ? undefined : { seq: row.seq!, createdAt: row.createdAt }
}
