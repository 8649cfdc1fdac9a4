/** `aggregate`: the leading stages are planned like a query, the others run over its documents. */
import { decode } from '../bson/index.ts'
import type { Call, Command, Reply } from './command.ts'
import { mongoError } from '../values/errors.ts'
import type { Filter } from '../filter/index.ts'
import { parsePipeline, runPipeline } from '../aggregate/pipeline.ts'
import { Query } from '../query/query.ts'
import type { Collection } from '../store/collection.ts'
import { allOf, flowSupply } from '../query/supply.ts'
import { PAUSE, Slice } from '../values/slices.ts'
import type { Flow, Progress } from '../values/slices.ts'
import { isDoc, isNumeric, NOTHING, toInteger } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import { collectionOf, FIRST_BATCH, firstReply, hintOf, refuseCollation } from './find.ts'

export function aggregateQuery (
  call: Call, collection: Collection, pipeline = parsePipeline(call.array('pipeline'))
): Query {
  return new Query(collection, pipeline.filter, call.view, { ...pipeline, hint: hintOf(call.body.get('hint')) })
}

function aggregate (call: Call): Reply | Promise<Reply> {
  refuseCollation(call)
  call.refuse('let', 'no variables')
  const cursor = call.doc('cursor')
  if (cursor === undefined) {
    throw mongoError('FailedToParse', "The 'cursor' option is required, except for aggregate with the explain argument")
  }
  const pipeline = parsePipeline(call.array('pipeline'))
  // The engine has no stage that works without a collection.
  if (isNumeric(call.body.get('aggregate'))) {
    throw mongoError('InvalidNamespace', '{aggregate: 1} is not valid here; a collection is required.')
  }
  const batchSize = isNumeric(cursor.get('batchSize')) ? toInteger(cursor.get('batchSize'))! : FIRST_BATCH
  const collection = collectionOf(call)
  const query = collection && aggregateQuery(call, collection, pipeline)
  const context = { lookup: lookupIn(call) }
  if (query === undefined) {
    return firstReply(call, call.namespace(), flowSupply(runPipeline(pipeline, [], context)), { batchSize })
  }
  if (pipeline.stages.length === 0) return firstReply(call, call.namespace(), query, { batchSize })
  const docs = documents(query, pipeline.stages.length === 1 && onlyCounts(call.array('pipeline').at(-1)))
  return firstReply(call, call.namespace(), flowSupply(runPipeline(pipeline, docs, context)), { batchSize })
}

/** Documents decoded at a time. */
const PORTION = 256

/**
 * The input of a pipeline. If a stage only counts documents, and the plan need not decode them to match, they are
 * empty.
 */
function * documents (query: Query, countsOnly: boolean): Flow {
  const areEmpty = countsOnly && query.plan.covered
  const slice = new Slice()
  for (let progress: Progress = 'enough'; progress !== 'done';) {
    const portion: Doc[] = []
    progress = query.next((bytes, doc) => portion.push(areEmpty ? NOTHING : doc ?? decode(bytes)) < PORTION)
    for (const doc of portion) {
      yield doc
      if (slice.isOver()) yield PAUSE
    }
    if (progress === 'paused') yield PAUSE
  }
}

/** Does a stage read no field, like the last stage of `countDocuments`? */
function onlyCounts (stage: Value | undefined): boolean {
  if (!isDoc(stage)) return false
  if (stage.has('$count')) return true
  const group = stage.get('$group')
  return isDoc(group) && [...group].every(([name, value]) => name === '_id'
    ? value === null || isNumeric(value)
    : isDoc(value) && value.size === 1 && isNumeric(value.get('$sum')))
}

function lookupIn (call: Call): (from: string, filter: Filter) => Iterable<Doc> {
  return (from, filter) => {
    const collection = collectionOf(call, `${call.database}.${from}`)
    return collection === undefined ? [] : allOf(new Query(collection, filter, call.view))
  }
}

export const aggregateCommands: Record<string, Command> = {
  aggregate: {
    fields: ['pipeline', 'cursor', 'allowDiskUse', 'hint', 'collation', 'let', 'bypassDocumentValidation'],
    transactional: true,
    run: aggregate
  }
}
