/** Aggregation: the leading stages are planned like a query, the others run over its documents. */
import { encode } from '../bson-bytes.ts'
import { ArraySource } from '../array-source.ts'
import type { Call, Command, Reply } from '../command.ts'
import { mongoError } from '../errors.ts'
import { firstReply } from '../first-reply.ts'
import { parseQueryFilter, Query } from '../query.ts'
import type { Collection } from '../store/collection.ts'
import { docOf, int32, isDoc, toInteger } from '../values.ts'
import type { Doc } from '../values.ts'
import { collectionOf, FIRST_BATCH, seqOf } from './find.ts'

export function aggregateQuery (call: Call, collection: Collection): Query {
  const stage = call.docs('pipeline')[0]?.get('$match')
  return new Query(collection, parseQueryFilter(isDoc(stage) ? stage : undefined), seqOf(call))
}

function aggregate (call: Call): Reply {
  const collection = collectionOf(call)
  let skip = 0
  let limit = Infinity
  for (const stage of call.docs('pipeline').slice(1)) {
    const [name] = stage.keys()
    if (name === '$skip') skip = toInteger(stage.get('$skip')) ?? 0
    else if (name === '$limit') limit = toInteger(stage.get('$limit')) ?? 0
    else if (name !== '$group') throw mongoError(40324, `Unrecognized pipeline stage name: '${name}'`)
  }
  let n = 0
  if (collection !== undefined) aggregateQuery(call, collection).each(call.view, () => ++n < skip + limit)
  n = Math.max(0, Math.min(n - skip, limit))
  const documents: Doc[] = n === 0 ? [] : [docOf({ _id: int32(1), n: int32(n) })]
  return firstReply(call, `${call.database}.${call.collectionName()}`, new ArraySource(documents.map(encode)), { batchSize: FIRST_BATCH })
}

export const aggregateCommands: Record<string, Command> = {
  aggregate: { fields: ['pipeline', 'cursor', 'allowDiskUse', 'hint', 'collation', 'let', 'bypassDocumentValidation'], transactional: true, run: aggregate }
}
