import {
  type AnyBulkWriteOperation, type ClientSession, MongoAPIError, MongoError, MongoServerError, type UpdateFilter
} from 'mongodb'
import { type LogCollections, indexNames } from '../model/collections.ts'
import type { Plan } from './plan.ts'
import type { Head, LogRow, Member } from '../model/types.ts'
import { isBrokenConnection } from '../../lib/broken-connection.ts'
import { isUnreachable, unwrapped } from '../unreachable.ts'

/** How a try to commit a plan ended. */
export type TransactionResult =
  | { result: 'committed' }
  /** Another node changed a head, or opened the conversation first: the heads must be read again. */
  | { result: 'conflict' }
  /** A `clientMessageId`, or a row's `_id`, is stored already. */
  | { result: 'duplicateKey' }
  /** Nothing was committed; the same plan may succeed next time. */
  | { result: 'transient', error: unknown }
  /** Nothing was committed, and the same plan would fail again: the database does not accept something in it. */
  | { result: 'rejected', error: unknown }
  /** Nothing was committed, and the database does not answer: the caller gets the error without more tries. */
  | { result: 'unreachable', error: unknown }
  /** The plan may have been committed or not. */
  | { result: 'unknown', error: unknown }

class HeadConflict extends Error {}

const unknownRetriesMax = 5

/**
 * Writes a plan in one transaction. A head is advanced only from the value that the plan was made on. So no two writers
 * assign the same rev, and no row appears below a head that readers have seen.
 */
export async function commitPlan (
  plan: Plan, collections: LogCollections, session: ClientSession
): Promise<TransactionResult> {
  session.startTransaction({
    readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true }, readPreference: 'primary'
  })
  try {
    await moveHeads(plan, collections, session)
    if (plan.relied.length > 0) await checkRelied(plan, collections, session)
    if (plan.members.length > 0) await writeMembers(plan, collections, session)
    await writeRows(plan, collections, session)
  } catch (error) {
    if (isUnreachable(error)) return { result: 'unreachable', error }
    await session.abortTransaction().catch(() => {}) // If the abort is lost, the server aborts by itself.
    return classify(error)
  }
  return await finish(session)
}

async function finish (session: ClientSession): Promise<TransactionResult> {
  for (let attempt = 0; ; attempt++) {
    try {
      await session.commitTransaction()
      return { result: 'committed' }
    } catch (error) {
      if (isUnreachable(error)) return { result: 'unknown', error }
      // "No such transaction" after a lost reply proves nothing: the server may have restarted and forgotten it.
      if (hasLabel(error, 'TransientTransactionError')) {
        return { result: attempt === 0 ? 'transient' : 'unknown', error }
      }
      if (!hasLabel(error, 'UnknownTransactionCommitResult') || attempt === unknownRetriesMax) {
        return { result: 'unknown', error }
      }
    }
  }
}

async function moveHeads (
  { heads }: Plan, { heads: collection }: LogCollections, session: ClientSession
): Promise<void> {
  const operations: Array<AnyBulkWriteOperation<Head>> = []
  let expected = 0
  for (const { from, to } of heads) {
    if (from === null) {
      operations.push({ insertOne: { document: to } })
    } else {
      expected++
      const { _id, headRev, clock, reservedBy } = from
      operations.push({
        updateOne: {
          filter: { _id, headRev, clock, reservedBy: reservedBy ?? { $exists: false } },
          update: { $set: changedFields(from, to), ...(reservedBy === undefined ? {} : { $unset: { reservedBy: '' } }) }
        }
      })
    }
  }
  const { matchedCount } = await collection.bulkWrite(operations, { session })
  if (matchedCount !== expected) throw new HeadConflict()
}

/** The fields of a head that a commit changes. A commit removes no field except `reservedBy`. */
function changedFields (from: Head, to: Head): Partial<Head> {
  const changed = Object.entries(to).filter(([field, value]) => field !== '_id' && value !== from[field as keyof Head])
  return Object.fromEntries(changed)
}

async function writeRows ({ rows }: Plan, { rows: log }: LogCollections, session: ClientSession): Promise<void> {
  if (rows.length === 0) return
  if (rows.every(row => row.from === null)) {
    await log.insertMany(rows.map(row => row.to), { session })
    return
  }
  const revised = rows.filter(row => row.from !== null).length
  const { matchedCount } = await log.bulkWrite(rows.map(({ from, to }): AnyBulkWriteOperation<LogRow> => {
    if (from === null) return { insertOne: { document: to } }
    const { _id, ...replacement } = to
    return { replaceOne: { filter: { _id, rev: from.rev }, replacement } }
  }), { session })
  if (matchedCount !== revised) throw new HeadConflict()
}

/** The snapshot is that of the head, which no other commit of the conversation can move until this one ends. */
async function checkRelied ({ relied }: Plan, { rows }: LogCollections, session: ClientSession): Promise<void> {
  const found = await rows.find({ _id: { $in: relied.map(({ _id }) => _id) } }, { session }).toArray()
  const revs = new Map(found.map(({ _id, rev }) => [_id.toHexString(), rev]))
  if (relied.some(({ _id, rev }) => revs.get(_id.toHexString()) !== rev)) throw new HeadConflict()
}

async function writeMembers (
  { members: writes }: Plan, { members }: LogCollections, session: ClientSession
): Promise<void> {
  // No filter on the old value: a change of a membership changes the head too, and the head's filter guards that. Two
  // nodes may move a read position and the time of a message at once, so only what a commit changes is written.
  const operations = writes.flatMap(({ key, from, to }): Array<AnyBulkWriteOperation<Member>> => {
    if (to === null) return from === null ? [] : [{ deleteOne: { filter: { _id: key } } }]
    if (from === null) return [{ insertOne: { document: to } }]
    return [{ updateOne: { filter: { _id: key }, update: changesOf(from, to) } }]
  })
  // A user who joins and leaves within one batch leaves nothing to write, and the driver refuses an empty list.
  if (operations.length > 0) await members.bulkWrite(operations, { session })
}

function changesOf (from: Member, to: Member): UpdateFilter<Member> {
  const isSet = ([field, value]: [string, unknown]) => value !== undefined && value !== from[field as keyof Member]
  const set = Object.entries(to).filter(isSet)
  const gone = Object.keys(from).filter(field => to[field as keyof Member] === undefined)
  return {
    ...(set.length === 0 ? {} : { $set: Object.fromEntries(set) }),
    ...(gone.length === 0 ? {} : { $unset: Object.fromEntries(gone.map(field => [field, ''])) })
  }
}

function classify (error: unknown): TransactionResult {
  if (error instanceof HeadConflict) return { result: 'conflict' }
  if (hasLabel(error, 'TransientTransactionError')) return { result: 'transient', error }
  if (error instanceof MongoServerError && error.code === 11000) {
    return { result: isDuplicateRow(error.message) ? 'duplicateKey' : 'conflict' }
  }
  // What neither the server nor the driver has refused was lost on the network between them.
  const original = unwrapped(error)
  const refused = original instanceof MongoError
    ? original instanceof MongoServerError || original instanceof MongoAPIError
    : !isBrokenConnection(original)
  return { result: refused ? 'rejected' : 'transient', error }
}

/** Clients choose the key's values, which end the message: only the part before them is read. */
function isDuplicateRow (message: string): boolean {
  const [, collection, index] = /collection: \S+?\.(\w+) index: (\S+)/.exec(message) ?? []
  return collection === 'log' && (index === indexNames.byClientId || index === '_id_')
}

function hasLabel (error: unknown, label: string): boolean {
  return error instanceof MongoServerError
    ? error.hasErrorLabel(label)
    : (error as { hasErrorLabel?: (label: string) => boolean }).hasErrorLabel?.(label) ?? false
}
