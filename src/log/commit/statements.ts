import {
  type AnyBulkWriteOperation, type ClientSession, type Collection, type Document, type MongoClient, MongoServerError
} from 'mongodb'

/** Sends the statements of a transaction to the server, in as few commands as it takes. */

/** Statements on one collection, which are done in order. */
export interface Statements {
  collection: Collection
  operations: AnyBulkWriteOperation[]
}

/**
 * Sends statements in order, and none after a failure.
 * @returns false if an update or a replacement found no document; later statements may have been done then
 */
export type SendStatements = (parts: readonly Statements[], session: ClientSession) => Promise<boolean>

/** The wire version of MongoDB 8, the first with `bulkWrite`. */
export const bulkWriteWireVersion = 25

/** A command has at most 16 MB. Where there are more statements than this, one round trip matters less. */
const bulkCountMax = 500

/** One command for each collection, and in it one for each kind of statement: any server. */
export const sendByCollection: SendStatements = async (parts, session) => {
  for (const { collection, operations } of parts) {
    if (operations.length === 0) continue
    const documents = operations.flatMap(operation => 'insertOne' in operation ? [operation.insertOne.document] : [])
    if (documents.length === operations.length) {
      await collection.insertMany(documents, { session })
      continue
    }
    const { matchedCount } = await collection.bulkWrite(operations, { session })
    if (matchedCount < operations.filter(isUpdate).length) return false
  }
  return true
}

/** One command for all collections, for a server with `bulkWrite`. */
export function bulkSender (client: MongoClient): SendStatements {
  const admin = client.db('admin')
  // A server of MongoDB 8 that still runs as version 7 has the wire version and not the command.
  let isRefused = false
  return async (parts, session) => {
    const used = parts.filter(({ operations }) => operations.length > 0)
    const operations = used.flatMap(({ operations }) => operations)
    if (isRefused || used.length < 2 || operations.length > bulkCountMax) return await sendByCollection(used, session)
    const command = {
      bulkWrite: 1,
      ops: used.flatMap(({ operations }, index) => operations.map(operation => bulkOp(operation, index))),
      nsInfo: used.map(({ collection }) => ({ ns: collection.namespace })),
      errorsOnly: true
    }
    // `command` takes over no option of the client.
    const reply = await admin.command(command, { session, ignoreUndefined: true }).catch((error: unknown) => {
      isRefused ||= isCommandRefused(error)
      throw error
    })
    const [failed] = (reply as BulkWriteReply).cursor.firstBatch
    const done = failed === undefined ? operations : operations.slice(0, failed.idx)
    // Looked at first: a head that is not as planned can make a later statement fail.
    if (reply['nMatched'] < done.filter(isUpdate).length) return false
    if (failed !== undefined) throw new MongoServerError({ ...failed, message: failed.errmsg })
    return true
  }
}

/** The part of a reply that is used. With `errorsOnly`, the results are the one that ended the command, or none. */
interface BulkWriteReply {
  nMatched: number
  cursor: { firstBatch: Array<{ idx: number, code: number, errmsg: string }> }
}

/** The server does not know the command (CommandNotFound), or not yet (CommandNotSupported). */
export function isCommandRefused (error: unknown): boolean {
  return error instanceof MongoServerError && (error.code === 59 || error.code === 115)
}

const isUpdate = (operation: AnyBulkWriteOperation) => 'updateOne' in operation || 'replaceOne' in operation

function bulkOp (operation: AnyBulkWriteOperation, index: number): Document {
  if ('insertOne' in operation) return { insert: index, document: operation.insertOne.document }
  if ('updateOne' in operation) {
    const { filter, update } = operation.updateOne
    // An empty one would replace the document by nothing. The driver's own methods refuse that.
    if (Object.keys(update).length === 0) throw new TypeError('an update changes nothing')
    return { update: index, filter, updateMods: update }
  }
  if ('replaceOne' in operation) {
    return { update: index, filter: operation.replaceOne.filter, updateMods: operation.replaceOne.replacement }
  }
  if ('deleteOne' in operation) return { delete: index, filter: operation.deleteOne.filter }
  throw new TypeError('a commit has no such statement')
}
