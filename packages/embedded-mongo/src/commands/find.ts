/** Reading through cursors, counting, and distinct values. */
import { ArraySource } from '../array-source.ts'
import type { Call, Command, Reply } from '../command.ts'
import { compareValues } from '../compare.ts'
import { decode } from '../bson-bytes.ts'
import { mongoError } from '../errors.ts'
import { firstReply } from '../first-reply.ts'
import { parseProjection } from '../projection.ts'
import { parseQueryFilter, Query } from '../query.ts'
import type { QueryOptions, Reader } from '../query.ts'
import { isArrayIndex, pathParts } from '../paths.ts'
import { ReplyBatch } from '../reply-batch.ts'
import { parseSort } from '../sort.ts'
import type { Collection } from '../store/collection.ts'
import { docOf, int32, isDoc, isNumeric, toInteger } from '../values.ts'
import type { Doc, Value } from '../values.ts'

/** What the first batch holds when the client names no size. */
export const FIRST_BATCH = 101

/** The collection a read is about; undefined when there is none, which reads as empty. */
export function collectionOf (call: Call): Collection | undefined {
  return namedCollection(call, call.collectionName())
}

export function namedCollection (call: Call, name: string): Collection | undefined {
  const namespace = `${call.database}.${name}`
  const { catalog } = call.engine
  if (call.transaction !== undefined && catalog.changedSince(namespace, call.transaction.seq)) {
    throw mongoError('SnapshotUnavailable', `Unable to read from a snapshot due to pending collection catalog changes to ${namespace}; please retry the operation.`, ['TransientTransactionError'])
  }
  return call.transaction?.created.get(namespace)?.collection ?? catalog.get(namespace)
}

/** The collection a write is about, made if need be. */
export function ensureCollection (call: Call): Collection {
  return collectionOf(call) ?? call.engine.catalog.create(call.writer, call.database, call.collectionName())
}

/** How far and how long the call reads. */
export function readerOf (call: Call): Reader {
  return { seq: call.transaction?.seq ?? Infinity, deadlineMs: call.deadlineMs }
}

export function refuseCollation (call: Call): void {
  const collation = call.doc('collation')
  if (collation !== undefined && collation.size > 0 && collation.get('locale') !== 'simple') {
    throw mongoError('NotImplemented', 'only the simple collation is supported')
  }
}

const FIND_FIELDS = [
  'filter', 'sort', 'projection', 'hint', 'skip', 'limit', 'batchSize', 'singleBatch', 'noCursorTimeout', 'collation',
  'allowDiskUse', 'allowPartialResults', 'let', 'min', 'max', 'returnKey', 'showRecordId', 'tailable', 'awaitData', 'oplogReplay'
]

/** The query of a `find`; also what `explain` explains. */
export function findQuery (call: Call, collection: Collection): Query {
  refuseCollation(call)
  for (const field of ['let', 'min', 'max', 'returnKey', 'showRecordId', 'tailable', 'awaitData']) call.refuse(field, 'not in scope')
  const limit = limitOf(call)
  const projection = call.doc('projection')
  const options: QueryOptions = {
    sort: parseSort(call.doc('sort') ?? new Map()),
    hint: hintOf(call.body.get('hint')),
    skip: call.integer('skip', 0),
    limit: limit === 0 ? Infinity : Math.abs(limit),
    project: projection === undefined || projection.size === 0 ? undefined : parseProjection(projection)
  }
  return new Query(collection, parseQueryFilter(call.doc('filter')), readerOf(call), options)
}

/** Drivers send an empty hint for none. */
export function hintOf (hint: Value | undefined): Value | undefined {
  return hint === null || (isDoc(hint) && hint.size === 0) ? undefined : hint
}

function limitOf (call: Call): number {
  const limit = call.body.get('limit')
  if (isNumeric(limit) && (toInteger(limit) ?? 0) < 0) return toInteger(limit)!
  return call.integer('limit', 0)
}

function find (call: Call): Reply {
  call.engine.counters.query++
  const namespace = `${call.database}.${call.collectionName()}`
  const collection = collectionOf(call)
  if (collection === undefined) {
    parseQueryFilter(call.doc('filter'))
    return firstReply(call, namespace, new ArraySource([]), { batchSize: 0 })
  }
  const query = findQuery(call, collection)
  const reply = firstReply(call, namespace, query.source(call.view), {
    batchSize: call.integer('batchSize', FIRST_BATCH),
    singleBatch: call.boolean('singleBatch', false) || limitOf(call) < 0,
    noCursorTimeout: call.boolean('noCursorTimeout', false)
  })
  // The time between batches is the client's.
  query.deadlineMs = Infinity
  return reply
}

function getMore (call: Call): Reply {
  call.engine.counters.getmore++
  const id = call.body.get('getMore')
  if (typeof id !== 'bigint') throw mongoError('TypeMismatch', "BSON field 'getMore.getMore' is the wrong type, expected type 'long'")
  const namespace = `${call.database}.${call.string('collection')}`
  const { cursors } = call.engine
  const cursor = cursors.get(id, namespace, call.transaction)
  cursor.lastUseMs = call.nowMs
  if (!cursor.source.isAlive(call.engine.catalog)) {
    cursors.delete(id)
    throw mongoError('QueryPlanKilled', 'collection or index dropped while a cursor was reading it')
  }
  const batch = new ReplyBatch('nextBatch', namespace)
  const exhausted = cursor.source.fill(call.view, batch, call.integer('batchSize', 0) || Infinity)
  if (!exhausted) return batch.finish(id)
  cursors.delete(id)
  return batch.finish(0n)
}

function killCursors (call: Call): Doc {
  const killed: Value[] = []
  const notFound: Value[] = []
  for (const id of call.array('cursors')) {
    (typeof id === 'bigint' && call.engine.cursors.delete(id) ? killed : notFound).push(id)
  }
  return docOf({ cursorsKilled: killed, cursorsNotFound: notFound, cursorsAlive: [], cursorsUnknown: [] })
}

export function countQuery (call: Call, collection: Collection): Query {
  refuseCollation(call)
  return new Query(collection, parseQueryFilter(call.doc('query')), readerOf(call), { hint: hintOf(call.body.get('hint')) })
}

function count (call: Call): Doc {
  call.engine.counters.query++
  const collection = collectionOf(call)
  const skip = call.integer('skip', 0)
  const limit = Math.abs(limitOf(call)) || Infinity
  let n = 0
  if (collection !== undefined) {
    const query = countQuery(call, collection)
    n = query.filter.op === 'always' ? countOf(call, query) : query.countMatches(call.view, skip + limit)
  }
  return docOf({ n: int32(Math.max(0, Math.min(n - skip, limit))) })
}

/** How many match, skipping and limiting as asked; of all documents the number is kept. */
export function countOf (call: Call, query: Query): number {
  if (query.filter.op !== 'always' || call.transaction !== undefined) return query.countMatches(call.view)
  return Math.max(0, Math.min(query.plan.collection.count - query.skip, query.limit))
}

function distinct (call: Call): Doc {
  refuseCollation(call)
  call.engine.counters.query++
  const parts = pathParts(call.string('key'))
  const collection = collectionOf(call)
  const values: Value[] = []
  if (collection !== undefined) {
    const query = new Query(collection, parseQueryFilter(call.doc('query')), readerOf(call), { hint: hintOf(call.body.get('hint')) })
    query.each(call.view, (_key, bytes, doc) => {
      collect(doc ?? decode(bytes), parts, 0, values)
      return true
    })
  }
  values.sort(compareValues)
  return docOf({ values: values.filter((value, i) => i === 0 || compareValues(values[i - 1], value) !== 0) })
}

/** All values at a path; arrays give their items, as an index would. */
function collect (value: Value | undefined, parts: readonly string[], next: number, into: Value[]): void {
  if (value === undefined) return
  if (Array.isArray(value)) {
    const part = parts[next]
    if (part !== undefined && isArrayIndex(part)) collect(value[Number(part)], parts, next + 1, into)
    for (const item of value) {
      // An array within an array is a value of its own at the end of the path, and no way further before.
      if (!Array.isArray(item)) collect(item, parts, next, into)
      else if (next === parts.length) into.push(item)
    }
  } else if (next === parts.length) {
    into.push(value)
  } else if (isDoc(value)) {
    collect(value.get(parts[next]!), parts, next + 1, into)
  }
}

export const findCommands: Record<string, Command> = {
  find: { fields: FIND_FIELDS, transactional: true, run: find },
  getMore: { fields: ['collection', 'batchSize'], transactional: true, run: getMore },
  killCursors: { fields: ['cursors'], transactional: true, run: killCursors },
  count: { fields: ['query', 'limit', 'skip', 'hint', 'collation', 'fields'], run: count },
  distinct: { fields: ['key', 'query', 'hint', 'collation'], transactional: true, run: distinct }
}
