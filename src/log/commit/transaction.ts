import { type AnyBulkWriteOperation, type ClientSession, MongoAPIError, MongoError, MongoServerError } from 'mongodb'
import { type LogCollections, indexNames } from '../model/collections.ts'
import type { Plan } from './plan.ts'
import type { Head, LogRow, Member } from '../model/types.ts'
import { isUnreachable, unwrapped } from '../unreachable.ts'

/** How a try to commit a plan ended. */
export type TransactionResult =
  | { result: 'committed' }
  /** Another node moved a head, or opened the conversation first: read the heads again. */
  | { result: 'conflict' }
  /** A client id, or a row's own id, is stored already. */
  | { result: 'duplicateKey' }
  /** Nothing was committed; worth another try as it is. */
  | { result: 'transient', error: unknown }
  /** Nothing was committed, and another try as it is would end alike: something in the plan is not accepted. */
  | { result: 'rejected', error: unknown }
  /** Nothing was committed, and the database does not answer: who asked is told now, and not after more tries. */
  | { result: 'unreachable', error: unknown }
  /** It may have been committed or not. */
  | { result: 'unknown', error: unknown }

class HeadConflict extends Error {}

const unknownRetriesMax = 5

/**
 * Writes a plan in one transaction: every head is advanced from the value that the plan was made on, so that no two
 * writers can give out the same rev, and a row never appears behind a head that readers have seen.
 */
export async function commitPlan (plan: Plan, collections: LogCollections, session: ClientSession): Promise<TransactionResult> {
  session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true }, readPreference: 'primary' })
  try {
    await moveHeads(plan, collections, session)
    if (plan.members.length > 0) await writeMembers(plan, collections, session)
    await writeRows(plan, collections, session)
  } catch (error) {
    if (isUnreachable(error)) return { result: 'unreachable', error }
    await session.abortTransaction().catch(() => {}) // The server aborts it by itself when the abort is lost.
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
      // "No such transaction" after a lost reply may come from a server that has restarted and forgotten: no proof.
      if (hasLabel(error, 'TransientTransactionError')) return { result: attempt === 0 ? 'transient' : 'unknown', error }
      if (!hasLabel(error, 'UnknownTransactionCommitResult') || attempt === unknownRetriesMax) return { result: 'unknown', error }
    }
  }
}

async function moveHeads ({ heads }: Plan, { heads: conversations }: LogCollections, session: ClientSession): Promise<void> {
  const operations: Array<AnyBulkWriteOperation<Head>> = []
  let expected = 0
  for (const { from, to } of heads) {
    if (from === null) {
      operations.push({ insertOne: { document: to } })
    } else {
      expected++
      operations.push({
        updateOne: {
          filter: { _id: from._id, headRev: from.headRev, clock: from.clock, reservedBy: from.reservedBy ?? { $exists: false } },
          update: { $set: differing(from, to), ...(from.reservedBy === undefined ? {} : { $unset: { reservedBy: '' } }) }
        }
      })
    }
  }
  const { matchedCount } = await conversations.bulkWrite(operations, { session })
  if (matchedCount !== expected) throw new HeadConflict()
}

/** Fields of a head that a commit gives another value; it takes none away but `reservedBy`. */
function differing (from: Head, to: Head): Partial<Head> {
  return Object.fromEntries(Object.entries(to).filter(([field, value]) => field !== '_id' && value !== from[field as keyof Head]))
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

async function writeMembers ({ members: writes }: Plan, { members }: LogCollections, session: ClientSession): Promise<void> {
  // The head's filter guards these: whoever else changes a member moves the head too.
  const operations = writes.flatMap(({ key, from, to }): Array<AnyBulkWriteOperation<Member>> => {
    if (to === null) return from === null ? [] : [{ deleteOne: { filter: { _id: key } } }]
    if (from === null) return [{ insertOne: { document: to } }]
    const { _id, ...replacement } = to
    return [{ replaceOne: { filter: { _id }, replacement } }]
  })
  // Who joins and leaves within one batch writes nothing here, and the driver refuses an empty list.
  if (operations.length > 0) await members.bulkWrite(operations, { session })
}

function classify (error: unknown): TransactionResult {
  if (error instanceof HeadConflict) return { result: 'conflict' }
  if (hasLabel(error, 'TransientTransactionError')) return { result: 'transient', error }
  if (error instanceof MongoServerError && error.code === 11000) return { result: isRepeat(error.message) ? 'duplicateKey' : 'conflict' }
  // Neither the server nor the driver takes it; what is left is the way between them.
  const original = unwrapped(error)
  const refused = original instanceof MongoServerError || original instanceof MongoAPIError || !(original instanceof MongoError)
  return { result: refused ? 'rejected' : 'transient', error }
}

/** The message ends with the values of the key, which clients choose: only what stands before them is read. */
function isRepeat (message: string): boolean {
  const [, collection, index] = /collection: \S+?\.(\w+) index: (\S+)/.exec(message) ?? []
  return collection === 'log' && (index === indexNames.byClientId || index === '_id_')
}

function hasLabel (error: unknown, label: string): boolean {
  return error instanceof MongoServerError
    ? error.hasErrorLabel(label)
    : (error as { hasErrorLabel?: (label: string) => boolean }).hasErrorLabel?.(label) ?? false
}
