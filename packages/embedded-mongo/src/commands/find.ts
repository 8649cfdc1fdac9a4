/** `find` and its cursors, `count` and `distinct`. */
import type { Call, Command, Reply } from './command.ts'
import { compareValues } from '../keys/compare.ts'
import { Batches } from '../engine/cursors.ts'
import type { Project } from '../engine/cursors.ts'
import { decode, encode } from '../bson/index.ts'
import { selectElements } from '../bson/find-elements.ts'
import { mongoError } from '../values/errors.ts'
import { parseFilter } from '../filter/index.ts'
import { valueKey } from '../keys/key-bytes.ts'
import { parseProjection, parseSelection } from '../aggregate/projection.ts'
import { Query } from '../query/query.ts'
import { itemsAt, pathParts } from '../values/paths.ts'
import { ReplyBatch } from '../engine/reply-batch.ts'
import { parseSort } from '../query/sort.ts'
import type { Collection } from '../store/collection.ts'
import { DOCUMENT_BYTES_MAX } from '../store/documents.ts'
import { arraySupply } from '../query/supply.ts'
import type { Supply } from '../query/supply.ts'
import type { Progress } from '../values/slices.ts'
import { docOf, int32, isDoc, isNumeric, NOTHING, toInteger } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'

/** The size of the first batch if the client names none. */
export const FIRST_BATCH = 101

/**
 * The collection of a namespace, or else the one that the command names; undefined if it does not exist, which reads as
 * empty.
 */
export function collectionOf (call: Call, namespace = call.namespace()): Collection | undefined {
  const { catalog } = call.engine
  if (call.transaction !== undefined && catalog.changedSince(namespace, call.transaction.view.seq)) {
    throw mongoError('SnapshotUnavailable',
      `Unable to read from a snapshot due to pending collection catalog changes to ${namespace}; ` +
      'please retry the operation.', ['TransientTransactionError'])
  }
  return call.transaction?.created.get(namespace)?.collection ?? catalog.get(namespace)
}

/** The collection that a statement writes to, created if it does not exist. */
export function ensureCollection (call: Call, namespace = call.namespace()): Collection {
  const dot = namespace.indexOf('.')
  return collectionOf(call, namespace) ??
    call.engine.catalog.create(call.writer, namespace.slice(0, dot), namespace.slice(dot + 1))
}

export function refuseCollation (call: Call): void {
  const collation = call.doc('collation')
  if (collation !== undefined && collation.size > 0 && collation.get('locale') !== 'simple') {
    throw mongoError('NotImplemented', 'only the simple collation is supported')
  }
}

const FIND_FIELDS = [
  'filter', 'sort', 'projection', 'hint', 'skip', 'limit', 'batchSize', 'singleBatch', 'noCursorTimeout', 'collation',
  'allowDiskUse', 'allowPartialResults', 'let', 'min', 'max', 'returnKey', 'showRecordId', 'tailable', 'awaitData',
  'oplogReplay'
]
const REFUSED_FIELDS = ['let', 'min', 'max', 'returnKey', 'showRecordId', 'tailable', 'awaitData']

/** The query of a `find`; `explain` uses it too. */
export function findQuery (call: Call, collection: Collection): Query {
  refuseCollation(call)
  for (const field of REFUSED_FIELDS) call.refuse(field, 'not in scope')
  const limit = limitOf(call)
  return new Query(collection, parseFilter(call.doc('filter') ?? NOTHING), call.view, {
    sort: parseSort(call.doc('sort') ?? NOTHING),
    hint: hintOf(call.body.get('hint')),
    skip: call.integer('skip', 0),
    limit: limit === 0 ? Infinity : Math.abs(limit)
  })
}

/** Drivers send an empty hint if there is none. */
export function hintOf (hint: Value | undefined): Value | undefined {
  return hint === null || (isDoc(hint) && hint.size === 0) ? undefined : hint
}

function limitOf (call: Call): number {
  const limit = call.body.get('limit')
  if (isNumeric(limit) && (toInteger(limit) ?? 0) < 0) return toInteger(limit)!
  return call.integer('limit', 0)
}

function find (call: Call): Reply | Promise<Reply> {
  const collection = collectionOf(call)
  const projection = call.doc('projection') ?? NOTHING
  const project = projection.size === 0 ? undefined : projector(projection)
  if (collection === undefined) {
    parseFilter(call.doc('filter') ?? NOTHING)
    parseSort(call.doc('sort') ?? NOTHING)
    return firstReply(call, call.namespace(), arraySupply([]), { batchSize: 1 })
  }
  return firstReply(call, call.namespace(), findQuery(call, collection), {
    batchSize: call.integer('batchSize', FIRST_BATCH),
    singleBatch: call.boolean('singleBatch', false) || limitOf(call) < 0,
    timesOut: !call.boolean('noCursorTimeout', false),
    project
  })
}

function projector (projection: Doc): Project {
  const keeps = parseSelection(projection)
  if (keeps !== undefined) return bytes => selectElements(bytes, keeps)
  const project = parseProjection(projection)
  return (bytes, doc) => encode(project(doc ?? decode(bytes)))
}

type FirstBatchOptions = {
  batchSize: number
  singleBatch?: boolean
  timesOut?: boolean
  project?: Project | undefined
}

/** The reply with the first batch. It opens a cursor unless the batch holds everything. */
export function firstReply (
  call: Call, namespace: string, supply: Supply, options: FirstBatchOptions
): Reply | Promise<Reply> {
  const { batchSize, singleBatch = false, timesOut = true, project } = options
  const batches = new Batches(supply, project)
  const batch = new ReplyBatch('firstBatch', namespace)
  const finish = (progress: Progress) => batch.finish(progress === 'done' || singleBatch
    ? 0n
    : call.engine.cursors.add({ namespace, batches, transaction: call.transaction, timesOut, lastUseMs: call.nowMs }))
  const progress = call.inSlices(() => batches.fill(batch, batchSize))
  return progress instanceof Promise ? progress.then(finish) : finish(progress)
}

async function getMore (call: Call): Promise<Reply> {
  const id = call.body.get('getMore')
  if (typeof id !== 'bigint') {
    throw mongoError('TypeMismatch', "BSON field 'getMore.getMore' is the wrong type, expected type 'long'")
  }
  const namespace = `${call.database}.${call.string('collection')}`
  const batchSize = call.integer('batchSize', 0) || Infinity
  const { cursors } = call.engine
  const cursor = cursors.get(id, namespace, call.transaction)
  const batch = new ReplyBatch('nextBatch', namespace)
  cursor.busy = true
  let isOver = true
  try {
    isOver = await call.inSlices(() => cursor.batches.fill(batch, batchSize)) === 'done'
  } finally {
    cursor.busy = false
    cursor.lastUseMs = call.nowMs
    if (isOver) cursors.delete(id)
  }
  return batch.finish(isOver ? 0n : id)
}

function killCursors (call: Call): Doc {
  const killed: Value[] = []
  const notFound: Value[] = []
  for (const id of call.array('cursors')) {
    (typeof id === 'bigint' && call.engine.cursors.delete(id) ? killed : notFound).push(id)
  }
  return docOf({ cursorsKilled: killed, cursorsNotFound: notFound, cursorsAlive: [], cursorsUnknown: [] })
}

/** The query of a `count` or a `distinct`. */
export function countQuery (call: Call, collection: Collection): Query {
  refuseCollation(call)
  return new Query(collection, parseFilter(call.doc('query') ?? NOTHING), call.view, {
    hint: hintOf(call.body.get('hint')),
    skip: call.integer('skip', 0),
    limit: Math.abs(limitOf(call)) || Infinity
  })
}

async function count (call: Call): Promise<Doc> {
  const collection = collectionOf(call)
  const query = collection && countQuery(call, collection)
  let n = 0
  if (query !== undefined) await call.inSlices(() => query.next(() => ++n > 0))
  return docOf({ n: int32(n) })
}

async function distinct (call: Call): Promise<Doc> {
  const parts = pathParts(call.string('key'))
  const collection = collectionOf(call)
  const values = new Map<string, Value>()
  let bytes = 0
  if (collection !== undefined) {
    const query = countQuery(call, collection)
    await call.inSlices(() => query.next((document, doc) => {
      for (const value of itemsAt(doc ?? decode(document), parts)) {
        const key = valueKey(value)
        if (values.has(key)) continue
        values.set(key, value)
        bytes += key.length
        if (bytes > DOCUMENT_BYTES_MAX) throw mongoError(17217, 'distinct too big, 16mb cap')
      }
      return true
    }))
  }
  return docOf({ values: [...values.values()].sort(compareValues) })
}

export const findCommands: Record<string, Command> = {
  find: { fields: FIND_FIELDS, transactional: true, run: find },
  getMore: { fields: ['collection', 'batchSize'], transactional: true, run: getMore },
  killCursors: { fields: ['cursors'], transactional: true, run: killCursors },
  count: { fields: ['query', 'limit', 'skip', 'hint', 'collation', 'fields'], run: count },
  distinct: { fields: ['key', 'query', 'hint', 'collation'], transactional: true, run: distinct }
}
