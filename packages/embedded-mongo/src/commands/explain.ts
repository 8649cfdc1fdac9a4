/** Says truly how a query would be run, and, when asked, what running it looked at. */
import { Call } from '../command.ts'
import type { Command } from '../command.ts'
import { mongoError } from '../errors.ts'
import { EVERYTHING } from '../key-bytes.ts'
import type { Interval } from '../key-bytes.ts'
import { printValue } from '../print.ts'
import { parseFilter } from '../filter.ts'
import type { Plan } from '../planner.ts'
import { Query } from '../query.ts'
import { parseSort } from '../sort.ts'
import { RecordScan } from '../scan.ts'
import type { Collection } from '../store/collection.ts'
import { docOf, int32, isDoc } from '../values.ts'
import type { Doc, Value } from '../values.ts'
import { aggregateQuery } from './aggregate.ts'
import { collectionOf, countQuery, findQuery, hintOf } from './find.ts'
import { SERVER_VERSION } from './handshake.ts'

async function explain (call: Call): Promise<Doc> {
  const explained = call.doc('explain')
  if (explained === undefined) throw mongoError('TypeMismatch', "BSON field 'explain.explain' must be an object")
  const verbosity = call.body.get('verbosity') ?? 'allPlansExecution'
  if (verbosity !== 'queryPlanner' && verbosity !== 'executionStats' && verbosity !== 'allPlansExecution') {
    throw mongoError('BadValue', `Enumeration value '${String(verbosity)}' for field 'explain.verbosity' is not a valid value.`)
  }
  const [name] = explained.keys()
  const body: Doc = new Map(explained)
  body.set('$db', call.database)
  const inner = new Call(call.engine, { ...call.request, body }, name ?? '', call.connectionId)
  inner.transaction = call.transaction
  const collection = collectionOf(inner)
  const query = collection === undefined ? undefined : queryOf(inner, collection)
  const reply = docOf({
    explainVersion: '1',
    queryPlanner: docOf({
      namespace: inner.namespace(),
      parsedQuery: filterOf(inner),
      winningPlan: query === undefined ? docOf({ stage: 'EOF' }) : stagesOf(query, filterOf(inner)),
      rejectedPlans: []
    }),
    command: explained,
    serverInfo: docOf({ host: call.engine.address, version: SERVER_VERSION })
  })
  if (verbosity !== 'queryPlanner') reply.set('executionStats', await execute(call, query))
  return reply
}

function queryOf (inner: Call, collection: Collection): Query {
  switch (inner.name) {
    case 'find': return findQuery(inner, collection)
    case 'count': case 'distinct': return countQuery(inner, collection)
    case 'aggregate': return aggregateQuery(inner, collection)
    case 'update': return statementQuery(inner, inner.docs('updates')[0], collection)
    case 'delete': return statementQuery(inner, inner.docs('deletes')[0], collection)
    case 'findAndModify': case 'findandmodify':
      return new Query(collection, parseFilter(inner.doc('query') ?? new Map()), inner.view, { sort: parseSort(inner.doc('sort') ?? new Map()), limit: 1, hint: hintOf(inner.body.get('hint')) })
    default: throw mongoError('CommandNotSupported', `explain of '${inner.name}' is not supported`)
  }
}

function statementQuery (inner: Call, statement: Doc | undefined, collection: Collection): Query {
  const filter = statement?.get('q')
  return new Query(collection, parseFilter(isDoc(filter) ? filter : new Map()), inner.view, { hint: hintOf(statement?.get('hint')) })
}

function stagesOf (query: Query, filter: Doc): Doc {
  const { plan } = query
  let stage = accessOf(plan)
  if (plan.index !== undefined || plan.union !== undefined) stage = docOf({ stage: 'FETCH', inputStage: stage })
  // Whatever the bounds do not say in full is checked on each document.
  if (!plan.covered) stage.set('filter', filter)
  if (!plan.sorted) stage = docOf({ stage: 'SORT', sortPattern: new Map(query.sort.map(({ path, direction }): [string, Value] => [path, int32(direction)])), inputStage: stage })
  if (query.limit !== Infinity) stage = docOf({ stage: 'LIMIT', limitAmount: int32(query.limit), inputStage: stage })
  if (query.skip > 0) stage = docOf({ stage: 'SKIP', skipAmount: int32(query.skip), inputStage: stage })
  return stage
}

function accessOf (plan: Plan): Doc {
  const direction = plan.reverse ? 'backward' : 'forward'
  if (plan.union !== undefined) return docOf({ stage: 'OR', inputStages: plan.union.map(accessOf) })
  if (plan.index === undefined) return docOf({ stage: 'COLLSCAN', direction })
  const { fields, name, unique, multikey, partial, spec } = plan.index
  const bounds: Doc = new Map()
  fields.forEach(({ path }, i) => bounds.set(path, plan.bounds[i]!.map(printInterval)))
  return docOf({
    stage: 'IXSCAN',
    keyPattern: spec.get('key'),
    indexName: name,
    isMultiKey: multikey,
    isUnique: unique,
    isPartial: partial !== undefined,
    direction,
    indexBounds: bounds
  })
}

/** The filter as the client wrote it; of a pipeline, its first `$match`. */
function filterOf (inner: Call): Doc {
  const { body } = inner
  const statement = (body.get('updates') ?? body.get('deletes')) as Value[] | undefined
  const first = Array.isArray(statement) ? statement[0] : undefined
  const stage = (body.get('pipeline') as Value[] | undefined)?.[0]
  const filter = body.get('filter') ?? body.get('query') ?? (isDoc(first) ? first.get('q') : undefined) ?? (isDoc(stage) ? stage.get('$match') : undefined)
  return isDoc(filter) ? filter : new Map()
}

function printInterval (interval: Interval): Value {
  if (interval === EVERYTHING) return '[MinKey, MaxKey]'
  const { lower, lowerInclusive, upper, upperInclusive } = interval
  return `${lowerInclusive ? '[' : '('}${printValue(lower)}, ${printValue(upper)}${upperInclusive ? ']' : ')'}`
}

async function execute (call: Call, query: Query | undefined): Promise<Doc> {
  const startedMs = performance.now()
  let returned = 0
  let docsExamined = 0
  let keysExamined = 0
  if (query !== undefined) {
    const scan = new RecordScan(query.plan)
    const wanted = query.plan.sorted ? query.skip + query.limit : Infinity
    let found = 0
    await call.inTurns(() => query.run(scan, () => ++found < wanted))
    returned = Math.max(0, Math.min(found - query.skip, query.limit))
    docsExamined = scan.recordsVisited
    keysExamined = query.plan.index === undefined && query.plan.union === undefined ? 0 : scan.keysExamined
  }
  return docOf({
    executionSuccess: true,
    nReturned: int32(returned),
    executionTimeMillis: int32(Math.round(performance.now() - startedMs)),
    totalKeysExamined: int32(keysExamined),
    totalDocsExamined: int32(docsExamined)
  })
}

export const explainCommands: Record<string, Command> = {
  explain: { fields: ['verbosity'], run: explain }
}
