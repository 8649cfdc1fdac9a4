import { type Collection, ObjectId } from 'mongodb'
import { type Plan, type CommitUnit, planBatch } from '../../src/log/commit/plan.ts'
import { type LogCollections, indexNames } from '../../src/log/model/collections.ts'
import { pageEndRev } from '../../src/log/read/page.ts'
import { type TransactionResult, commitPlan } from '../../src/log/commit/transaction.ts'
import type { Mutant } from './history.ts'

/** Plausible ways to write the log that lose or double messages: the check on histories must find every one of them. */
export const mutants: Record<string, Mutant> = {
  'a counter is raised, then the row is inserted, without a transaction': {
    steps: () => ({ write: writeWithoutTransaction })
  },
  'the head is advanced without a filter on what it was': {
    steps: () => ({ write: (plan, collections, session) => commitPlan(plan, unfiltered(collections, 'heads'), session) }),
    within: { share: false, nodes: 3, faults: 0 }
  },
  'a row is edited without a filter on its rev': {
    steps: () => ({ write: (plan, collections, session) => commitPlan(plan, unfiltered(collections, 'rows'), session) }),
    within: { lag: 0.5, faults: 0 }
  },
  'a cursor comes from a head that was read after the scan': {
    endOfPage: async (page, head, after, headNow) => pageEndRev(page, await headNow() ?? head, after),
    within: { faults: 0 }
  },
  'a cursor is the head although there is more': {
    endOfPage: (page, head, after) => pageEndRev({ ...page, hasMore: false }, head, after),
    within: { faults: 0, readers: [{ room: false, by: 'rev', limit: 1 }, { room: true, by: 'rev', limit: 1 }] }
  },
  'client ids are not unique': { without: [indexNames.byClientId] },
  'an unknown commit is tried again with new ids': {
    steps: () => ({
      plan: (units, known, now) => planBatch(units.map(renewed), known, now),
      write: async (plan, collections, session) => {
        const result = await commitPlan(plan, collections, session)
        return result.result === 'unknown' ? { result: 'transient', error: result.error } : result
      }
    }),
    within: { faults: 0.3, lag: 0 }
  },
  'an unknown commit is taken for one that was lost': {
    steps: () => ({
      write: async (plan, collections, session) => {
        const result = await commitPlan(plan, collections, session)
        return result.result === 'unknown' ? { result: 'transient', error: result.error } : result
      }
    }),
    within: { faults: 0.3, lag: 0 }
  },
  'an unknown commit is taken for one that was applied': {
    steps: () => ({
      write: async (plan, collections, session) => {
        const result = await commitPlan(plan, collections, session)
        return result.result === 'unknown' ? { result: 'committed' } : result
      }
    })
  },
  'times come from the clock alone': {
    steps: () => ({ plan: (units, known, now) => byTheClock(planBatch(units, known, now), now) })
  },
  'members are not looked at in the commit': {
    steps: () => ({
      plan: (units, known, now) => planBatch(units.map(({ mutations }) => ({
        mutations: mutations.map(change => {
          if (change.type !== 'append') return change
          const { requiresMember, ...rest } = change
          return rest
        })
      })), known, now)
    })
  }
}

async function writeWithoutTransaction ({ heads, rows, members: writes }: Plan, collections: LogCollections): Promise<TransactionResult> {
  try {
    for (const { from, to } of heads) {
      if (from === null) await collections.heads.bulkWrite([{ insertOne: { document: to } }])
      else {
        const by = { headRev: to.headRev - from.headRev, headSeq: to.headSeq - from.headSeq } as never
        await collections.heads.bulkWrite([{ updateOne: { filter: { _id: to._id, headRev: from.headRev }, update: { $inc: by, $set: { clock: to.clock } } } }])
      }
    }
    for (const { key, to } of writes) {
      if (to !== null) await collections.members.bulkWrite([{ insertOne: { document: to } }]).catch(() => {})
      else await collections.members.bulkWrite([{ deleteOne: { filter: { _id: key } } }])
    }
    for (const { from, to } of rows) {
      const { _id, ...replacement } = to
      await collections.rows.bulkWrite([from === null ? { insertOne: { document: to } } : { replaceOne: { filter: { _id }, replacement } }])
    }
    return { result: 'committed' }
  } catch (error) {
    return { result: 'transient', error }
  }
}

/** Collections of which one keeps only the `_id` of every filter, and says that all that it should match was matched. */
function unfiltered (collections: LogCollections, name: 'heads' | 'rows'): LogCollections {
  const collection = collections[name]
  const loose = {
    insertMany: async (documents: never[], options: object) => await (collection as unknown as Collection<never>).insertMany(documents, options),
    bulkWrite: async (operations: Array<Record<string, { filter?: { _id: unknown } }>>, options: object) =>
      await collection.bulkWrite(operations.map(operation => Object.fromEntries(Object.entries(operation).map(([verb, rest]) =>
        [verb, rest.filter === undefined ? rest : { ...rest, filter: { _id: rest.filter._id } }]))) as never, options)
  }
  return { ...collections, [name]: loose }
}

function renewed ({ mutations }: CommitUnit): CommitUnit {
  return { mutations: mutations.map(change => change.type === 'append' ? { ...change, row: { ...change.row, _id: new ObjectId() } } : change) }
}

function byTheClock (plan: Plan, now: number): Plan {
  for (const { to } of plan.rows) to.updatedAt = new Date(now)
  return plan
}
