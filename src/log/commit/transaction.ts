import {
  type AnyBulkWriteOperation, type ClientSession, type Collection, type Document, MongoAPIError, MongoError,
  MongoServerError, type UpdateFilter
} from 'mongodb'
import { type LogCollections, indexNames } from '../model/collections.ts'
import type { Plan } from './plan.ts'
import type { Head, LogRow, Member } from '../model/types.ts'
import { type SendStatements, type Statements, isCommandRefused, sendByCollection } from './statements.ts'
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
  plan: Plan, collections: LogCollections, session: ClientSession, send: SendStatements = sendByCollection
): Promise<TransactionResult> {
  session.startTransaction({
    readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true }, readPreference: 'primary'
  })
  try {
    // The heads come first: of nodes that change a conversation at once, all but one end there.
    const { heads, members, rows } = collections
    const parts = [on(heads, headStatements(plan)), on(members, memberStatements(plan)), on(rows, rowStatements(plan))]
    if (!await send(parts, session)) throw new HeadConflict()
    if (plan.relied.length > 0) await checkRelied(plan, collections, session)
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

function on<T extends Document> (collection: Collection<T>, operations: Array<AnyBulkWriteOperation<T>>): Statements {
  return { collection, operations } as unknown as Statements
}

function headStatements ({ heads }: Plan): Array<AnyBulkWriteOperation<Head>> {
  return heads.map(({ from, to }) => {
    if (from === null) return { insertOne: { document: to } }
    const { _id, headRev, clock, reservedBy } = from
    return {
      updateOne: {
        filter: { _id, headRev, clock, reservedBy: reservedBy ?? { $exists: false } },
        update: { $set: changedFields(from, to), ...(reservedBy === undefined ? {} : { $unset: { reservedBy: '' } }) }
      }
    }
  })
}

/** The fields of a head that a commit changes. A commit removes no field except `reservedBy`. */
function changedFields (from: Head, to: Head): Partial<Head> {
  const changed = Object.entries(to).filter(([field, value]) => field !== '_id' && value !== from[field as keyof Head])
  return Object.fromEntries(changed)
}

function rowStatements ({ rows }: Plan): Array<AnyBulkWriteOperation<LogRow>> {
  return rows.map(({ from, to }) => {
    if (from === null) return { insertOne: { document: to } }
    const { _id, ...replacement } = to
    return { replaceOne: { filter: { _id, rev: from.rev }, replacement } }
  })
}

/** The snapshot is that of the head, which no other commit of the conversation can move until this one ends. */
async function checkRelied ({ relied }: Plan, { rows }: LogCollections, session: ClientSession): Promise<void> {
  const found = await rows.find({ _id: { $in: relied.map(({ _id }) => _id) } }, { session }).toArray()
  const revs = new Map(found.map(({ _id, rev }) => [_id.toHexString(), rev]))
  if (relied.some(({ _id, rev }) => revs.get(_id.toHexString()) !== rev)) throw new HeadConflict()
}

function memberStatements ({ members }: Plan): Array<AnyBulkWriteOperation<Member>> {
  // No filter on the old value: a change of a membership changes the head too, and the head's filter guards that. Two
  // nodes may move a read position and the time of a message at once, so only what a commit changes is written.
  return members.flatMap(({ key, from, to }): Array<AnyBulkWriteOperation<Member>> => {
    // A user who joins and leaves within one batch leaves nothing to write.
    if (to === null) return from === null ? [] : [{ deleteOne: { filter: { _id: key } } }]
    if (from === null) return [{ insertOne: { document: to } }]
    return [{ updateOne: { filter: { _id: key }, update: changesOf(from, to) } }]
  })
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
  // The next try is sent in other commands than the one that the server refuses.
  if (hasLabel(error, 'TransientTransactionError') || isCommandRefused(error)) return { result: 'transient', error }
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
