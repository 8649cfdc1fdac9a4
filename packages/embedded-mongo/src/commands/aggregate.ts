/** Aggregation: the leading stages are planned like a query, the others run over its documents. */
import { encode } from '../bson-bytes.ts'
import { ArraySource } from '../array-source.ts'
import type { Call, Command, Reply } from '../command.ts'
import { mongoError } from '../errors.ts'
import type { Filter } from '../filter.ts'
import { firstReply } from '../first-reply.ts'
import { parsePipeline, runPipeline } from '../pipeline.ts'
import { Query } from '../query.ts'
import type { Collection } from '../store/collection.ts'
import { isDoc, isNumeric, toInteger } from '../values.ts'
import type { Doc, Value } from '../values.ts'
import { collectionOf, countOf, FIRST_BATCH, hintOf, namedCollection, refuseCollation, readerOf } from './find.ts'

const NOTHING: Doc = new Map()

export function aggregateQuery (call: Call, collection: Collection, pipeline = parsePipeline(call.array('pipeline'))): Query {
  const { filter, sort = [], skip, limit = Infinity } = pipeline
  return new Query(collection, filter, readerOf(call), { sort, skip, limit, hint: hintOf(call.body.get('hint')) })
}

function aggregate (call: Call): Reply {
  call.engine.counters.query++
  refuseCollation(call)
  call.refuse('let', 'no variables')
  const cursor = call.doc('cursor')
  if (cursor === undefined) throw mongoError('FailedToParse', "The 'cursor' option is required, except for aggregate with the explain argument")
  const pipeline = parsePipeline(call.array('pipeline'))
  // Of the stages that need no collection, none is here.
  if (isNumeric(call.body.get('aggregate'))) throw mongoError('InvalidNamespace', '{aggregate: 1} is not valid here; a collection is required.')
  const namespace = `${call.database}.${call.collectionName()}`
  const batchSize = isNumeric(cursor.get('batchSize')) ? toInteger(cursor.get('batchSize'))! : FIRST_BATCH
  const collection = collectionOf(call)
  const query = collection === undefined ? undefined : aggregateQuery(call, collection, pipeline)
  if (pipeline.stages.length === 0) {
    return firstReply(call, namespace, query?.source(call.view) ?? new ArraySource([]), { batchSize })
  }
  const results: Buffer[] = []
  for (const doc of runPipeline(pipeline, inputOf(call, query), { lookup: lookupIn(call) })) results.push(encode(doc))
  return firstReply(call, namespace, new ArraySource(results), { batchSize })
}

function inputOf (call: Call, query: Query | undefined): Iterable<Doc> {
  if (query === undefined) return []
  return onlyCounts(call.array('pipeline')) && query.plan.covered ? nothings(countOf(call, query)) : query.documents(call.view)
}

function * nothings (count: number): Iterable<Doc> {
  for (let i = 0; i < count; i++) yield NOTHING
}

/** Whether the pipeline looks at no field behind its leading stages, as that of `countDocuments` does. */
function onlyCounts (stages: readonly Value[]): boolean {
  const last = stages.at(-1)
  if (!isDoc(last) || !stages.slice(0, -1).every(isLeading)) return false
  if (last.has('$count')) return true
  const group = last.get('$group')
  return isDoc(group) && [...group].every(([name, value]) => name === '_id'
    ? value === null || isNumeric(value)
    : isDoc(value) && value.size === 1 && isNumeric(value.get('$sum')))
}

function isLeading (stage: Value): boolean {
  return isDoc(stage) && ['$match', '$skip', '$limit'].some(name => stage.has(name))
}

function lookupIn (call: Call): (from: string, filter: Filter) => Iterable<Doc> {
  return (from, filter) => {
    const collection = namedCollection(call, from)
    return collection === undefined ? [] : new Query(collection, filter, readerOf(call)).documents(call.view)
  }
}

export const aggregateCommands: Record<string, Command> = {
  aggregate: { fields: ['pipeline', 'cursor', 'allowDiskUse', 'hint', 'collation', 'let', 'bypassDocumentValidation'], transactional: true, run: aggregate }
}
