/** insert, update and delete. */
import type { Call, Command } from '../command.ts'
import { mongoError } from '../errors.ts'
import { parseFilter } from '../filter.ts'
import { Query } from '../query.ts'
import { insertDocument, removeDocument } from '../store/documents.ts'
import { docOf, int32, isNumeric, toNumber } from '../values.ts'
import type { Doc, Value } from '../values.ts'
import { collectionOf, ensureCollection, hintOf, readerOf } from './find.ts'
import { checkStillMatching, checkUpdateStatement, modify, readUpdateStatement } from './modify.ts'
import { checkStatement, docField, withId } from './statement.ts'
import { runOnce, runStatements, whenUnlocked } from './write-batch.ts'

async function insert (call: Call): Promise<Doc> {
  const docs = call.docs('documents')
  const raw = call.request.rawDocuments('documents')!
  const { writer } = call
  const collection = await whenUnlocked(call, () => ensureCollection(call))
  let n = 0
  const errors = await runStatements(call, docs.length, async i => {
    const result = await runOnce(call, i, async () => {
      const { doc, bytes } = withId(docs[i]!, raw[i]!)
      await whenUnlocked(call, () => { insertDocument(writer, call.engine.catalog, collection, bytes, doc) })
      return docOf({ n: int32(1) })
    })
    n += toNumber(result.get('n'))
    call.engine.counters.insert++
  })
  return docOf({ n: int32(n), writeErrors: errors.length > 0 ? errors : undefined })
}

async function update (call: Call): Promise<Doc> {
  const statements = call.docs('updates')
  statements.forEach(checkUpdateStatement)
  const upserted: Value[] = []
  let n = 0
  let nModified = 0
  const errors = await runStatements(call, statements.length, async i => {
    const result = await runOnce(call, i, async () => await modify(call, readUpdateStatement(statements[i]!)))
    n += toNumber(result.get('n'))
    nModified += toNumber(result.get('nModified'))
    const id = result.get('_id')
    if (id !== undefined) upserted.push(docOf({ index: int32(i), _id: id }))
    call.engine.counters.update++
  })
  return docOf({
    n: int32(n),
    nModified: int32(nModified),
    upserted: upserted.length > 0 ? upserted : undefined,
    writeErrors: errors.length > 0 ? errors : undefined
  })
}

const DELETE_FIELDS = new Set(['q', 'limit', 'hint', 'collation'])

async function remove (call: Call): Promise<Doc> {
  const statements = call.docs('deletes')
  for (const statement of statements) checkStatement('delete.deletes', statement, DELETE_FIELDS)
  let n = 0
  const errors = await runStatements(call, statements.length, async i => {
    const result = await runOnce(call, i, async () => await removeMatching(call, statements[i]!))
    n += toNumber(result.get('n'))
    call.engine.counters.delete++
  })
  return docOf({ n: int32(n), writeErrors: errors.length > 0 ? errors : undefined })
}

async function removeMatching (call: Call, statement: Doc): Promise<Doc> {
  const limit = statement.get('limit')
  if (!isNumeric(limit) || (toNumber(limit) !== 0 && toNumber(limit) !== 1)) throw mongoError('FailedToParse', 'The limit field in delete objects must be 0 or 1.')
  const one = toNumber(limit) === 1
  const filter = parseFilter(docField(statement, 'q'))
  const collection = collectionOf(call)
  if (collection === undefined) return docOf({ n: int32(0) })
  const { writer, view } = call
  const query = new Query(collection, filter, readerOf(call), { hint: hintOf(statement.get('hint')), limit: one ? 1 : Infinity })
  for (;;) {
    let n = 0
    for (const { key } of query.matches(view)) {
      n += await whenUnlocked(call, () => {
        const doc = checkStillMatching(view, key, filter)
        if (doc === undefined) return 0
        removeDocument(writer, call.engine.catalog, collection, key.slice(collection.prefix.length), doc)
        return 1
      })
    }
    // The only match may have gone while its writer's transaction was waited for: look for another one.
    if (n > 0 || !one || query.matches(view).length === 0) return docOf({ n: int32(n) })
  }
}

const COMMON = ['ordered', 'bypassDocumentValidation', 'let']

export const writeCommands: Record<string, Command> = {
  insert: { fields: ['documents', ...COMMON], transactional: true, writes: true, retryable: true, run: insert },
  update: { fields: ['updates', ...COMMON], transactional: true, writes: true, retryable: true, run: update },
  delete: { fields: ['deletes', ...COMMON], transactional: true, writes: true, retryable: true, run: remove }
}
