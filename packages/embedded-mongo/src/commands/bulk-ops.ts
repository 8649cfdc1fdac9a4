/** The arguments of `bulkWrite`. An unknown or missing one fails the whole command before its first statement. */
import type { Call } from './command.ts'
import { isCollectionName } from './command.ts'
import { rawDocument } from '../bson/find-elements.ts'
import { badValue, failedToParse, mongoError, typeMismatch } from '../values/errors.ts'
import { isDoc, isNumeric, toInteger, toNumber, typeName } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import type { RawUpdate } from './modify.ts'
import { checkStatement } from './statement.ts'
import { checkBatchSize } from './write-batch.ts'

/** One statement, on a collection of its own. */
export type BulkOp =
  | { readonly kind: 'insert', readonly namespace: string, readonly document: Doc, readonly raw: Buffer }
  | RawUpdate & { readonly kind: 'update' }
  | {
    readonly kind: 'delete',
    readonly namespace: string,
    readonly filter: Doc,
    readonly multi: boolean,
    readonly hint: Value | undefined
  }

const FIELDS = {
  insert: new Set(['insert', 'document']),
  update: new Set(['update', 'filter', 'updateMods', 'multi', 'upsert', 'sort', 'hint', 'collation']),
  delete: new Set(['delete', 'filter', 'multi', 'hint', 'collation'])
}
const NAMESPACE_FIELDS = new Set(['ns'])

export function readOps (call: Call): BulkOp[] {
  const nsInfo = call.docs('nsInfo')
  for (const entry of nsInfo) checkStatement('bulkWrite.nsInfo', entry, NAMESPACE_FIELDS)
  const names = nsInfo.map(namespaceOf)
  const docs = call.docs('ops')
  const raw = call.request.rawDocuments('ops')!
  const read = docs.map((op, i) => readOp(op, raw[i]!))
  checkBatchSize(docs.length)
  const namespaces = names.map(checkedNamespace)
  return read.map(({ index, op }) => {
    const namespace = namespaces[index]
    if (namespace === undefined) {
      throw badValue(`BulkWrite ops entry { ${op.kind}: ${index} } has an invalid nsInfo index.`)
    }
    return { ...op, namespace }
  })
}

/** An operation without its namespace. */
type Unplaced<T> = T extends BulkOp ? Omit<T, 'namespace'> : never

function readOp (op: Doc, raw: Buffer): { index: number, op: Unplaced<BulkOp> } {
  const [kind = ''] = op.keys()
  if (kind !== 'insert' && kind !== 'update' && kind !== 'delete') {
    throw mongoError(40415, `BSON field 'bulkWrite.${kind}' is an unknown field.`)
  }
  checkStatement('bulkWrite.ops', op, FIELDS[kind])
  const index = readIndex(kind, op.get(kind)!)
  if (kind === 'insert') {
    return { index, op: { kind, document: document(op, 'document'), raw: rawDocument(raw, 'document')! } }
  }
  const filter = document(op, 'filter')
  const multi = flag(op, 'multi')
  const hint = op.get('hint')
  if (kind === 'delete') return { index, op: { kind, filter, multi, hint } }
  const update = required(op, 'ops', 'updateMods')
  if (!isDoc(update) && !Array.isArray(update)) {
    throw failedToParse('Update argument must be either an object or an array')
  }
  const sort = op.has('sort') ? document(op, 'sort') : undefined
  return { index, op: { kind, filter, update, multi, upsert: flag(op, 'upsert'), sort, hint } }
}

function readIndex (kind: string, value: Value): number {
  if (!isNumeric(value)) {
    throw typeMismatch(`BSON field 'bulkWrite.ops.${kind}' is the wrong type '${typeName(value)}', ` +
      "expected types '[long, int, decimal, double]'")
  }
  const index = Math.trunc(toNumber(value))
  if (!(index >= 0)) throw badValue(`BSON field '${kind}' value must be >= 0, actual value '${toNumber(value)}'`)
  return index
}

function checkedNamespace (namespace: string): string {
  const dot = namespace.indexOf('.')
  if (dot > 0 && isCollectionName(namespace.slice(dot + 1))) return namespace
  const named = namespace.endsWith('.') ? namespace.slice(0, -1) : namespace
  throw mongoError('InvalidNamespace', `Invalid namespace specified for bulkWrite: '${named}'`)
}

function required (doc: Doc, where: 'ops' | 'nsInfo', field: string): Value {
  const value = doc.get(field)
  if (value !== undefined && value !== null) return value
  throw mongoError(40414, `BSON field 'bulkWrite.${where}.${field}' is missing but a required field`)
}

function document (op: Doc, field: string): Doc {
  const value = required(op, 'ops', field)
  if (!isDoc(value)) throw wrongType(`ops.${field}`, value, 'object')
  return value
}

function namespaceOf (entry: Doc): string {
  const value = required(entry, 'nsInfo', 'ns')
  if (typeof value !== 'string') throw wrongType('nsInfo.ns', value, 'string')
  return value
}

function flag (op: Doc, field: string): boolean {
  const value = op.get(field) ?? false
  if (typeof value !== 'boolean') throw wrongType(`ops.${field}`, value, 'bool')
  return value
}

function wrongType (field: string, value: Value, expected: string) {
  return typeMismatch(`BSON field 'bulkWrite.${field}' is the wrong type '${typeName(value)}', ` +
    `expected type '${expected}'`)
}

/** The id of each statement in a retryable write, by its index. */
export function readStatementIds (call: Call, count: number): (i: number) => number {
  const first = call.integer('stmtId', 0)
  if (!call.body.has('stmtIds')) return i => first + i
  if (call.body.has('stmtId')) {
    throw mongoError('InvalidOptions', 'May not specify both stmtId and stmtIds in bulkWrite command.')
  }
  const ids = call.array('stmtIds').map((value, i) => {
    const id = toInteger(value)
    if (id === undefined || id < 0) throw wrongType(`stmtIds.${i}`, value, 'int')
    return id
  })
  if (ids.length !== count) {
    throw mongoError('InvalidLength', 'Number of statement ids must match the number of batch entries. ' +
      `Got ${ids.length} statement ids but ${count} operations.`)
  }
  return i => ids[i]!
}

/** How many results the first reply may hold. */
export function readBatchSize (call: Call): number {
  const cursor = call.doc('cursor')
  const value = cursor?.get('batchSize')
  for (const field of cursor?.keys() ?? []) {
    if (field !== 'batchSize') throw mongoError(40415, `BSON field 'bulkWrite.cursor.${field}' is an unknown field.`)
  }
  if (value === undefined || value === null) return Infinity
  if (!isNumeric(value)) throw wrongType('cursor.batchSize', value, 'long')
  if (!(toNumber(value) >= 0)) {
    throw badValue(`BSON field 'batchSize' value must be >= 0, actual value '${toNumber(value)}'`)
  }
  return Math.trunc(toNumber(value))
}
