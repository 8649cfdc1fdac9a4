import { type Collection, ObjectId } from 'mongodb'
import { type Plan, type Unit, planBatch } from '../../src/log/plan.ts'
import { type LogCollections, indexNames } from '../../src/log/collections.ts'
import { pageEnd } from '../../src/log/page.ts'
import { type CommitResult, commitPlan } from '../../src/log/transaction.ts'
import type { Mutation } from './history.ts'

/** Plausible ways to write the log that lose or double messages: the check on histories must find every one of them. */
export const mutants: Record<string, Mutation> = {
  'a counter is raised, then the row is inserted, without a transaction': {
    steps: () => ({ write: writeWithoutTransaction })
  },
  'the head is advanced without a filter on what it was': {
    steps: () => ({ write: (plan, collections, session) => commitPlan(plan, unfiltered(collections, 'conversations'), session) }),
    within: { share: false, nodes: 3, faults: 0 }
  },
  'a row is edited without a filter on its rev': {
    steps: () => ({ write: (plan, collections, session) => commitPlan(plan, unfiltered(collections, 'log'), session) }),
    within: { lag: 0.5, faults: 0 }
  },
  'a cursor comes from a head that was read after the scan': {
    endOfPage: async (page, head, after, headNow) => pageEnd(page, await headNow() ?? head, after),
    within: { faults: 0 }
  },
  'a cursor is the head although there is more': {
    endOfPage: (page, head, after) => pageEnd({ ...page, hasMore: false }, head, after),
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
      plan: (units, known, now) => planBatch(units.map(({ changes }) => ({
        changes: changes.map(change => {
          if (change.type !== 'append') return change
          const { requiresMember, ...rest } = change
          return rest
        })
      })), known, now)
    })
  }
}

async function writeWithoutTransaction ({ heads, rows, members: writes }: Plan, collections: LogCollections): Promise<CommitResult> {
  try {
    for (const { from, to } of heads) {
      if (from === null) await collections.conversations.bulkWrite([{ insertOne: { document: to } }])
      else {
        const by = { headRev: to.headRev - from.headRev, headSeq: to.headSeq - from.headSeq } as never
        await collections.conversations.bulkWrite([{ updateOne: { filter: { _id: to._id, headRev: from.headRev }, update: { $inc: by, $set: { clock: to.clock } } } }])
      }
    }
    for (const { key, to } of writes) {
      if (to !== null) await collections.members.bulkWrite([{ insertOne: { document: to } }]).catch(() => {})
      else await collections.members.bulkWrite([{ deleteOne: { filter: { _id: key } } }])
    }
    for (const { from, to } of rows) {
      const { _id, ...replacement } = to
      await collections.log.bulkWrite([from === null ? { insertOne: { document: to } } : { replaceOne: { filter: { _id }, replacement } }])
    }
    return { result: 'committed' }
  } catch (error) {
    return { result: 'transient', error }
  }
}

/** Collections of which one keeps only the `_id` of every filter, and says that all that it should match was matched. */
function unfiltered (collections: LogCollections, name: 'conversations' | 'log'): LogCollections {
  const collection = collections[name]
  const loose = {
    insertMany: async (documents: never[], options: object) => await (collection as unknown as Collection<never>).insertMany(documents, options),
    bulkWrite: async (operations: Array<Record<string, { filter?: { _id: unknown } }>>, options: object) =>
      await collection.bulkWrite(operations.map(operation => Object.fromEntries(Object.entries(operation).map(([verb, rest]) =>
        [verb, rest.filter === undefined ? rest : { ...rest, filter: { _id: rest.filter._id } }]))) as never, options)
  }
  return { ...collections, [name]: loose }
}

function renewed ({ changes }: Unit): Unit {
  return { changes: changes.map(change => change.type === 'append' ? { ...change, row: { ...change.row, _id: new ObjectId() } } : change) }
}

function byTheClock (plan: Plan, now: number): Plan {
  for (const { to } of plan.rows) to.updatedAt = new Date(now)
  return plan
}
