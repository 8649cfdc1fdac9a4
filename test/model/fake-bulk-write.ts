import { MongoServerError } from 'mongodb'
import type { FakeCollection, Operation } from './fake-collection.ts'
import type { FakeSession } from './fake-session.ts'
import type { FakeStore } from './fake-store.ts'
import { type Doc, network } from './fake-values.ts'

type Op =
  | { insert: number, document: Doc }
  | { update: number, filter: Doc, updateMods: object }
  | { delete: number, filter: Doc }

export interface BulkWrite {
  ops: Op[]
  nsInfo: Array<{ ns: string }>
}

interface Failure {
  ok: 0
  idx: number
  code: number
  errmsg: string
}

/** MongoDB 8's command over several tables, in a transaction, which the first failure ends. Errors only. */
export async function bulkWrite (
  mongo: FakeStore, node: string, { ops, nsInfo }: BulkWrite, session: FakeSession,
  collection: (table: string) => FakeCollection
): Promise<{ nMatched: number, cursor: { firstBatch: Failure[] } }> {
  const { schedule, faults } = mongo.options
  await schedule.turn(node)
  if (schedule.chance(faults / 8)) throw schedule.chance(0.2) ? new TypeError('A defect of the driver') : network()
  const transaction = session.statement()
  const firstBatch: Failure[] = []
  let nMatched = 0
  for (const [idx, op] of ops.entries()) {
    const index = 'insert' in op ? op.insert : 'update' in op ? op.update : op.delete
    try {
      nMatched += collection(nsInfo[index]!.ns).write(transaction, operationOf(op))
    } catch (error) {
      mongo.active.delete(transaction)
      if (!(error instanceof MongoServerError) || error.hasErrorLabel('TransientTransactionError')) throw error
      firstBatch.push({ ok: 0, idx, code: Number(error.code), errmsg: error.message })
      break
    }
  }
  await schedule.turn(node)
  return { nMatched, cursor: { firstBatch } }
}

function operationOf (op: Op): Operation {
  if ('insert' in op) return { insertOne: { document: op.document } }
  if ('delete' in op) return { deleteOne: { filter: op.filter } }
  const { filter, updateMods } = op
  const isUpdate = Object.keys(updateMods).some(name => name.startsWith('$'))
  return isUpdate ? { updateOne: { filter, update: updateMods } } : { replaceOne: { filter, replacement: updateMods } }
}
