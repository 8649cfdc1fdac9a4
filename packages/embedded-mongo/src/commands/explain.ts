/** Shows the plan that a query gets and, if requested, how many keys and documents a run of it visits. */
import { Call } from './command.ts'
import type { Command } from './command.ts'
import { mongoError } from '../values/errors.ts'
import type { Interval } from '../keys/key-bytes.ts'
import { printValue } from '../values/print.ts'
import type { BoundedLeg } from '../query/planner.ts'
import type { Query } from '../query/query.ts'
import type { Collection } from '../store/collection.ts'
import { isMultikey } from '../store/index-definition.ts'
import { docOf, int32 } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import { aggregateQuery } from './aggregate.ts'
import { collectionOf, countQuery, findQuery } from './find.ts'

const VERBOSITIES: readonly Value[] = ['queryPlanner', 'executionStats', 'allPlansExecution']

async function explain (call: Call): Promise<Doc> {
  const explained = call.doc('explain')
  if (explained === undefined) throw mongoError('TypeMismatch', "BSON field 'explain.explain' must be an object")
  const verbosity = call.body.get('verbosity') ?? 'allPlansExecution'
  if (!VERBOSITIES.includes(verbosity)) {
    const message = `Enumeration value '${String(verbosity)}' for field 'explain.verbosity' is not a valid value.`
    throw mongoError('BadValue', message)
  }
  const [name] = explained.keys()
  const body: Doc = new Map([...explained, ['$db', call.database]])
  const inner = new Call(call.engine, { ...call.request, body }, name ?? '', call.connectionId)
  inner.transaction = call.transaction
  const collection = collectionOf(inner)
  const query = collection && queryOf(inner, collection)
  return docOf({
    explainVersion: '1',
    queryPlanner: docOf({
      namespace: inner.namespace(),
      winningPlan: query === undefined ? docOf({ stage: 'EOF' }) : stagesOf(query),
      rejectedPlans: []
    }),
    executionStats: verbosity === 'queryPlanner' ? undefined : await execute(call, query)
  })
}

function queryOf (inner: Call, collection: Collection): Query {
  switch (inner.name) {
    case 'find': return findQuery(inner, collection)
    case 'count': case 'distinct': return countQuery(inner, collection)
    case 'aggregate': return aggregateQuery(inner, collection)
    default: throw mongoError('CommandNotSupported', `explain of '${inner.name}' is not supported`)
  }
}

function stagesOf ({ plan, sort, skip, limit }: Query): Doc {
  const [first, ...others] = plan.legs.map(accessOf)
  let stage = others.length === 0 ? first! : docOf({ stage: 'OR', inputStages: [first!, ...others] })
  if (plan.legs[0]!.index !== undefined) stage = docOf({ stage: 'FETCH', inputStage: stage })
  if (!plan.sorted) {
    const sortPattern = new Map(sort.map(({ path, direction }): [string, Value] => [path, int32(direction)]))
    stage = docOf({ stage: 'SORT', sortPattern, inputStage: stage })
  }
  if (limit !== Infinity) stage = docOf({ stage: 'LIMIT', limitAmount: int32(limit), inputStage: stage })
  return skip > 0 ? docOf({ stage: 'SKIP', skipAmount: int32(skip), inputStage: stage }) : stage
}

function accessOf ({ index, bounds, reverse }: BoundedLeg): Doc {
  const direction = reverse ? 'backward' : 'forward'
  if (index === undefined) return docOf({ stage: 'COLLSCAN', direction })
  return docOf({
    stage: 'IXSCAN',
    keyPattern: index.spec.get('key'),
    indexName: index.name,
    isMultiKey: isMultikey(index),
    direction,
    indexBounds: new Map(index.fields.map(({ path }, i): [string, Value] => [path, bounds[i]!.map(printInterval)]))
  })
}

function printInterval ({ lower, lowerInclusive, upper, upperInclusive }: Interval): Value {
  return `${lowerInclusive ? '[' : '('}${printValue(lower)}, ${printValue(upper)}${upperInclusive ? ']' : ')'}`
}

async function execute (call: Call, query: Query | undefined): Promise<Doc> {
  const startedMs = performance.now()
  let returned = 0
  if (query !== undefined) await call.inSlices(() => query.next(() => ++returned > 0))
  return docOf({
    executionSuccess: true,
    nReturned: int32(returned),
    executionTimeMillis: int32(Math.round(performance.now() - startedMs)),
    totalKeysExamined: int32(query?.scan.keysExamined ?? 0),
    totalDocsExamined: int32(query?.scan.recordsVisited ?? 0)
  })
}

export const explainCommands: Record<string, Command> = {
  explain: { fields: ['verbosity'], run: explain }
}
