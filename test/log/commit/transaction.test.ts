import type { ClientSession } from 'mongodb'
import t from 'tap'
import type { Plan } from '../../../src/log/commit/plan.ts'
import { commitPlan } from '../../../src/log/commit/transaction.ts'
import type { LogCollections } from '../../../src/log/model/collections.ts'

const session = {
  startTransaction: () => {},
  abortTransaction: async () => {}
} as unknown as ClientSession
const plan = { heads: [{ from: {}, to: {} }], relied: [], members: [], rows: [] } as unknown as Plan

/** What becomes of a plan whose first write fails so. */
const endOf = async (error: Error) => {
  const heads = { bulkWrite: async () => { throw error } }
  return (await commitPlan(plan, { heads } as unknown as LogCollections, session)).result
}

t.test('what a broken connection has lost is tried again, and a defect is not', async t => {
  t.equal(await endOf(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })), 'transient')
  t.equal(await endOf(new TypeError('a defect')), 'rejected')
})
