import { type LogCollections, indexNames } from './model/collections.ts'
import { type Head, type Seq, seqOf } from './model/types.ts'

/**
 * The end of purged messages. A purge is one change; the rows that it gives up are hidden from then on and removed here,
 * afterwards and bit by bit. What is left after a crash stands at the beginning of the conversation's seqs, up to the head's
 * `purgedSeq`: whoever looks finds it there and goes on. Several may do so at once.
 *
 * Nobody waits for answers that are being made. One whose rows go under it lacks nothing but what a purge took that its
 * head does not know yet: it looks at the head again after its scan, and then says that there is more (src/sync/pull.ts) or takes
 * the purge into account (src/sync/legacy/sync-conversation.ts). That is right on any number of nodes.
 *
 * Only for messages so old that what became of their commit is known to whoever made it: an unknown outcome is settled by
 * looking for the row (src/log/commit/unknown-outcome.ts).
 */

export interface DeletePurgedOptions {
  /** Rows that are removed by one command, between which others get their turn. */
  rowsAtOnce?: number
  signal?: AbortSignal
}

/** Removes what the head says is purged; returns how many rows that were. */
export async function deletePurgedRows (
  { rows: log }: Pick<LogCollections, 'rows'>, { _id: conversationId, purgedSeq }: Pick<Head, '_id' | 'purgedSeq'>, { rowsAtOnce = 200, signal }: DeletePurgedOptions = {}
): Promise<number> {
  let collected = 0
  for (let more = purgedSeq !== undefined; more && signal?.aborted !== true;) {
    const rows = await log.find({ conversationId, seq: { $lte: purgedSeq! } }, { projection: { seq: 1 } })
      .sort({ seq: 1 }).hint(indexNames.bySeq).limit(rowsAtOnce).batchSize(rowsAtOnce + 1).toArray()
    const through = rows.at(-1)?.seq
    if (through === undefined) break
    const { deletedCount } = await log.deleteMany({ conversationId, seq: { $lte: through } }, { hint: indexNames.bySeq })
    collected += deletedCount
    more = rows.length === rowsAtOnce
  }
  return collected
}

/** The oldest message that is stored, purged or not. */
export async function oldestMessage ({ rows }: Pick<LogCollections, 'rows'>, conversationId: string, from: Seq = seqOf(1)): Promise<{ seq: Seq, createdAt: Date } | undefined> {
  const [row] = await rows.find({ conversationId, seq: { $gte: from } }, { projection: { seq: 1, createdAt: 1 } })
    .sort({ seq: 1 }).hint(indexNames.bySeq).limit(1).toArray()
  return row === undefined ? undefined : { seq: row.seq!, createdAt: row.createdAt }
}
