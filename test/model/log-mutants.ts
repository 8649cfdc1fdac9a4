import type { Collection } from 'mongodb'
import { type Plan, type CommitUnit, planBatch } from '../../src/log/commit/plan.ts'
import { type LogCollections, indexNames } from '../../src/log/model/collections.ts'
import { type TransactionResult, commitPlan } from '../../src/log/commit/transaction.ts'
import type { CommitSteps } from '../../src/log/commit/committer.ts'
import { joins, pins, says } from './mutants.ts'
import type { Mutant, Step } from './spec.ts'
import { again } from './units.ts'

const edits = (node: number): Step => ({ type: 'edit', user: 0, node, target: 0 })
const renames = (content: number): Step => ({ type: 'rename', user: 0, node: 0, content })
const unknown: Mutant['within'] = { faults: 0.3, calm: false, lag: 0 }

/** Plausible mistakes in writing the log that lose or double messages. The check must find every one. */
export const logMutants: Record<string, Mutant> = {
  'a counter is raised, then the row is inserted, without a transaction': {
    steps: { write: writeWithoutTransaction }
  },
  'the head is advanced without a filter on what it was': {
    steps: { write: (plan, collections, session) => commitPlan(plan, unfiltered(collections, 'heads'), session) },
    within: { share: false, nodes: 3, faults: 0, calm: false },
    first: [...joins, says(0), says(1), says(2), says(0), says(1), says(2)]
  },
  'a row is edited without a filter on its rev': {
    steps: { write: (plan, collections, session) => commitPlan(plan, unfiltered(collections, 'rows'), session) },
    within: { lag: 0.5, faults: 0, calm: false },
    first: [...joins, says(0), edits(0), edits(1), edits(0), edits(1)]
  },
  'rows that decided something are not looked at again in the commit': {
    steps: { plan: (units, known, now) => ({ ...planBatch(units, known, now), relied: [] }) },
    within: { lag: 0.5, faults: 0, calm: false },
    first: [...joins, says(0), renames(1), renames(2), renames(1), renames(2)]
  },
  'client ids are not unique': { without: [indexNames.byClientId] },
  'an unknown commit is tried again with new ids': {
    steps: {
      plan: (units, known, now) => planBatch(units.map(again), known, now),
      write: unknownAs(error => ({ result: 'transient', error }))
    },
    within: unknown
  },
  'an unknown commit is taken for one that was lost': {
    steps: { write: unknownAs(error => ({ result: 'transient', error })) },
    within: unknown
  },
  'an unknown commit is taken for one that was applied': {
    steps: { write: unknownAs(() => ({ result: 'committed' })) }
  },
  'times come from the clock alone': {
    steps: { plan: (units, known, now) => byTheClock(planBatch(units, known, now), now) }
  },
  'a message is deleted and stays pinned': {
    steps: { plan: (units, known, now) => keepingPins(planBatch(units, known, now)) },
    first: [...joins, says(0), pins, { type: 'delete', user: 0, node: 0, target: 0 }]
  },
  'members are not looked at in the commit': {
    steps: { plan: (units, known, now) => planBatch(units.map(ofAnybody), known, now) },
    first: [...joins, { type: 'membership', user: 1, node: 1, role: null }, says(1)]
  }
}

async function writeWithoutTransaction (
  { heads, rows, members: writes }: Plan, collections: LogCollections
): Promise<TransactionResult> {
  try {
    for (const { from, to } of heads) {
      if (from === null) await collections.heads.bulkWrite([{ insertOne: { document: to } }])
      else {
        const by = { headRev: to.headRev - from.headRev, headSeq: to.headSeq - from.headSeq } as never
        await collections.heads.bulkWrite([{
          updateOne: { filter: { _id: to._id, headRev: from.headRev }, update: { $inc: by, $set: { clock: to.clock } } }
        }])
      }
    }
    for (const { key, to } of writes) {
      if (to !== null) await collections.members.bulkWrite([{ insertOne: { document: to } }]).catch(() => {})
      else await collections.members.bulkWrite([{ deleteOne: { filter: { _id: key } } }])
    }
    for (const { from, to } of rows) {
      const { _id, ...replacement } = to
      await collections.rows.bulkWrite(
        [from === null ? { insertOne: { document: to } } : { replaceOne: { filter: { _id }, replacement } }]
      )
    }
    return { result: 'committed' }
  } catch (error) {
    return { result: 'transient', error }
  }
}

/** Collections of which one keeps only the `_id` of every filter, and so matches whatever the row has become. */
function unfiltered (collections: LogCollections, name: 'heads' | 'rows'): LogCollections {
  const collection = collections[name]
  const loose = {
    find: collection.find.bind(collection),
    insertMany: async (
      documents: never[], options: object
    ) => await (collection as unknown as Collection<never>).insertMany(documents, options),
    bulkWrite: async (operations: Array<Record<string, { filter?: { _id: unknown } }>>, options: object) =>
      await collection.bulkWrite(operations.map(operation => Object.fromEntries(Object.entries(operation).map((
        [verb, rest]
      ) =>
        [verb, rest.filter === undefined ? rest : { ...rest, filter: { _id: rest.filter._id } }]))) as never, options)
  }
  return { ...collections, [name]: loose }
}

function unknownAs (taken: (error: unknown) => TransactionResult): CommitSteps['write'] {
  return async (plan, collections, session) => {
    const result = await commitPlan(plan, collections, session)
    return result.result === 'unknown' ? taken(result.error) : result
  }
}

function ofAnybody ({ mutations }: CommitUnit): CommitUnit {
  return {
    mutations: mutations.map(change => {
      if (change.type !== 'append') return change
      const { requiresMember, ...rest } = change
      return rest
    })
  }
}

/** Pins never end. */
function keepingPins (plan: Plan): Plan {
  for (const { from, to } of plan.rows) {
    if (from?.pins !== undefined && to.pins!.length < from.pins.length) to.pins = from.pins
  }
  return plan
}

function byTheClock (plan: Plan, now: number): Plan {
  for (const { to } of plan.rows) to.updatedAt = new Date(now)
  return plan
}
