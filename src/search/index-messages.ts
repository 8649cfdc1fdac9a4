import { setImmediate as nextTurn } from 'node:timers/promises'
import { MongoBulkWriteError, type ObjectId } from 'mongodb'
import { foldedLetters } from '../lib/folded-text.ts'
import type { Followed } from '../log/follower.ts'
import { type LogCollections, indexNames } from '../log/model/collections.ts'
import { type LogRow, seqOf } from '../log/model/types.ts'
import { type IndexedMessage, type SearchCollection, codeOf } from './collections.ts'
import { featuresOf, featureTerm } from './features.ts'
import { runsOf, termsOf } from './words.ts'

/**
 * Keeps the index like the log. Several processes may write the same message, in any order: terms never replace those
 * of a later rev, so the last state wins. A deleted message keeps an entry without terms, which holds its rev.
 */

/** Rows whose terms are taken before other work gets its turn. */
const rowsInTurn = 64
const forgottenAtOnce = 500

/** Writes the terms of the changed messages. */
export async function indexMessages (search: SearchCollection, followed: readonly Followed[]): Promise<void> {
  const entries: IndexedMessage[] = []
  let taken = 0
  for (const { head, rows } of followed) {
    if (head.deleted === true) continue
    for (const row of rows) {
      if (row.kind !== 'message' || row.seq! <= (head.purgedSeq ?? 0)) continue
      entries.push(entryOf(row))
      if (++taken % rowsInTurn === 0) await nextTurn()
    }
  }
  await write(search, entries)
}

/**
 * Removes the terms of messages that were purged while `indexMessages` wrote them: whoever purged them may have removed
 * the terms before they were written.
 */
export async function forgetPurged (search: SearchCollection, followed: readonly Followed[]): Promise<void> {
  const purged = followed.flatMap(({ head: { purgedSeq = seqOf(0) }, rows }) =>
    rows.flatMap(({ _id, kind, seq }) => kind === 'message' && seq! <= purgedSeq ? [_id] : []))
  await forgetMessages(search, purged)
}

/** Removes the terms of rooms that were deleted: nobody reads them any more. Their rows stay. */
export async function forgetDeletedRooms (
  search: SearchCollection, { rows: collection }: Pick<LogCollections, 'rows'>, followed: readonly Followed[]
): Promise<void> {
  for (const { head: { _id: conversationId, deleted }, rows } of followed) {
    // The deletion itself, and not each member who leaves because of it.
    if (deleted !== true || !rows.some(({ kind }) => kind === 'meta')) continue
    for (let after = seqOf(0), more = true; more;) {
      const some = await collection.find({ conversationId, seq: { $gt: after } }, { projection: { seq: 1 } })
        .sort({ seq: 1 }).hint(indexNames.bySeq).limit(forgottenAtOnce).batchSize(forgottenAtOnce + 1).toArray()
      await forgetMessages(search, some.map(({ _id }) => _id))
      after = some.at(-1)?.seq ?? after
      more = some.length === forgottenAtOnce
    }
  }
}

/** Removes the terms of messages whose rows are about to be deleted or emptied. */
export async function forgetMessages (search: SearchCollection, ids: readonly ObjectId[]): Promise<void> {
  if (ids.length > 0) await search.deleteMany({ _id: { $in: [...ids] } })
}

/** The terms of a message. */
export function messageTerms (row: Pick<LogRow, 'message' | 'messageType' | 'attachments' | 'isDeleted'>): string[] {
  if (row.isDeleted === true) return []
  return [...termsOf(runsOf(foldedLetters(row.message ?? ''))), ...featuresOf(row).map(featureTerm)]
}

function entryOf (row: LogRow): IndexedMessage {
  const { _id, conversationId, createdAt, senderId, rev } = row
  return { _id, c: codeOf(conversationId), k: messageTerms(row), t: createdAt, u: senderId!, r: rev }
}

async function write (search: SearchCollection, entries: readonly IndexedMessage[]): Promise<void> {
  if (entries.length === 0) return
  const known = await insert(search, entries)
  if (known.length === 0) return
  await search.bulkWrite(known.map(entry => {
    const { _id, ...replacement } = entry
    return { replaceOne: { filter: { _id, r: { $lte: entry.r } }, replacement } }
  }), { ordered: false })
}

/** Inserts the new entries, which most are; returns those whose message has one already. */
async function insert (search: SearchCollection, entries: readonly IndexedMessage[]): Promise<IndexedMessage[]> {
  try {
    await search.insertMany([...entries], { ordered: false })
    return []
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error
    const failed = [error.writeErrors].flat()
    if (failed.some(({ code }) => code !== 11_000)) throw error
    return failed.map(({ index }) => entries[index]!)
  }
}
