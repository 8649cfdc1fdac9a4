/** `bulkWrite`, new in MongoDB 8: inserts, updates and deletes of several collections in one command. */
import type { Call, Command } from './command.ts'
import { encode } from '../bson/index.ts'
import { Batches } from '../engine/cursors.ts'
import { parseFilter } from '../filter/index.ts'
import { arraySupply } from '../query/supply.ts'
import { DOCUMENT_BYTES_MAX } from '../store/documents.ts'
import { mongoError } from '../values/errors.ts'
import type { MongoError } from '../values/errors.ts'
import { docOf, int32, toNumber } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import { readBatchSize, readOps, readStatementIds } from './bulk-ops.ts'
import type { BulkOp } from './bulk-ops.ts'
import { hintOf } from './find.ts'
import { modify, parseUpdateStatement } from './modify.ts'
import { runEach } from './write-batch.ts'
import { insertOne, removeMatching } from './write.ts'

const CURSOR_NAMESPACE = 'admin.$cmd.bulkWrite'

/** The results of one command are held in memory until the client has fetched them; above this, it stops. */
const RESULT_BYTES_MAX = DOCUMENT_BYTES_MAX

async function bulkWrite (call: Call): Promise<Doc> {
  const ops = readOps(call)
  const statementId = readStatementIds(call, ops.length)
  const batchSize = readBatchSize(call)
  const results = new Results(call.boolean('errorsOnly', false))
  await runEach(call, ops.length, async i => {
    if (results.isFull) {
      const message = `BulkWrite response size exceeded limit (${RESULT_BYTES_MAX} bytes)`
      throw mongoError('ExceededMemoryLimit', message)
    }
    await run(call, statementId(i), i, ops[i]!, results)
  }, (i, error) => {
    const stops = results.isFull
    results.fail(i, ops[i]!, error)
    return stops ? 'stop' : undefined
  })
  return results.reply(call, batchSize)
}

async function run (call: Call, statementId: number, i: number, op: BulkOp, results: Results): Promise<void> {
  const { kind, namespace } = op
  if (kind === 'insert') {
    const inserting = insertOne(call, statementId, namespace, op.document, op.raw)
    if (inserting instanceof Promise) await inserting
    results.inserted(i)
    return
  }
  if (op.multi && call.retryNumber !== undefined) {
    throw mongoError('InvalidOptions', 'Cannot use retryable writes with multi=true')
  }
  if (kind === 'update') {
    results.updated(i, await modify(call, statementId, parseUpdateStatement(op)))
  } else {
    const selection = { namespace, filter: parseFilter(op.filter), hint: hintOf(op.hint) }
    results.removed(i, await removeMatching(call, statementId, selection, op.multi))
  }
}

/** What the statements did: counts, and a document for each statement or for each failed one. */
class Results {
  readonly #errorsOnly: boolean
  readonly #counts = { nErrors: 0, nInserted: 0, nMatched: 0, nModified: 0, nUpserted: 0, nDeleted: 0 }
  readonly #docs: { doc: Doc, bytes: Buffer }[] = []
  #bytes = 0

  constructor (errorsOnly: boolean) {
    this.#errorsOnly = errorsOnly
  }

  get isFull (): boolean {
    return this.#bytes >= RESULT_BYTES_MAX
  }

  inserted (i: number): void {
    this.#counts.nInserted++
    this.#succeeded(i, { n: int32(1) })
  }

  /** Takes the result of an `update` statement. */
  updated (i: number, result: Doc): void {
    const n = toNumber(result.get('n'))
    const nModified = toNumber(result.get('nModified'))
    const id = result.get('_id')
    if (id === undefined) this.#counts.nMatched += n
    else this.#counts.nUpserted++
    this.#counts.nModified += nModified
    const upserted = id === undefined ? undefined : docOf({ _id: id })
    this.#succeeded(i, { n: int32(n), nModified: int32(nModified), upserted })
  }

  removed (i: number, n: number): void {
    this.#counts.nDeleted += n
    this.#succeeded(i, { n: int32(n) })
  }

  fail (i: number, { kind }: BulkOp, error: MongoError): void {
    this.#counts.nErrors++
    const doc = docOf({ ok: 0, idx: int32(i), code: int32(error.code), errmsg: error.message })
    for (const [name, value] of error.extra) doc.set(name, value)
    doc.set('n', int32(0))
    if (kind === 'update') doc.set('nModified', int32(0))
    this.#add(doc)
  }

  #succeeded (i: number, fields: Record<string, Value | undefined>): void {
    if (!this.#errorsOnly) this.#add(docOf({ ok: 1, idx: int32(i), ...fields }))
  }

  #add (doc: Doc): void {
    const bytes = encode(doc)
    this.#docs.push({ doc, bytes })
    this.#bytes += bytes.length
  }

  /** The reply with as many documents as it may hold. A cursor, if anybody will read it, has the others. */
  reply (call: Call, batchSize: number): Doc {
    let count = 0
    for (let bytes = 0; count < Math.min(batchSize, this.#docs.length); count++) {
      bytes += this.#docs[count]!.bytes.length
      if (count > 0 && bytes > RESULT_BYTES_MAX) break
    }
    const others = this.#docs.slice(count).map(({ bytes }) => bytes)
    const id = others.length === 0 || !call.request.wantsReply
      ? 0n
      : call.engine.cursors.add({
        namespace: CURSOR_NAMESPACE,
        batches: new Batches(arraySupply(others)),
        transaction: call.transaction,
        timesOut: true,
        lastUseMs: call.nowMs
      })
    const firstBatch = this.#docs.slice(0, count).map(({ doc }) => doc)
    const counts = Object.entries(this.#counts).map(([name, count]): [string, Value] => [name, int32(count)])
    return docOf({ cursor: docOf({ id, firstBatch, ns: CURSOR_NAMESPACE }), ...Object.fromEntries(counts) })
  }
}

export const bulkWriteCommands: Record<string, Command> = {
  bulkWrite: {
    fields: [
      'ops', 'nsInfo', 'ordered', 'errorsOnly', 'bypassDocumentValidation', 'cursor', 'stmtId', 'stmtIds'
    ],
    transactional: true,
    writes: true,
    retryable: true,
    adminOnly: true,
    run: bulkWrite
  }
}
