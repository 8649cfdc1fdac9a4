/** insert, update and delete. */
import type { Call, Command } from '../command.ts'
import { mongoError } from '../errors.ts'
import { parseFilter } from '../filter.ts'
import { Query } from '../query.ts'
import type { Collection } from '../store/collection.ts'
import { insertDocument, removeDocument } from '../store/documents.ts'
import { docOf, int32, isNumeric, toNumber } from '../values.ts'
import type { Doc, Value } from '../values.ts'
import { collectionOf, ensureCollection, hintOf, readerOf } from './find.ts'
import { checkStillMatching, checkUpdateStatement, firstMatch, modify, readUpdateStatement } from './modify.ts'
import { checkStatement, docField, withId } from './statement.ts'
import { once, refuseRetry, runStatements, whenUnlocked } from './write-batch.ts'

const INSERTED = docOf({ n: int32(1) })

async function insert (call: Call): Promise<Doc> {
  const docs = call.docs('documents')
  const raw = call.request.rawDocuments('documents')!
  const { writer, engine } = call
  const collection = await whenUnlocked(call, () => ensureCollection(call))
  let n = 0
  const errors = await runStatements(call, docs.length, i => {
    const { doc, bytes } = withId(docs[i]!, raw[i]!)
    return whenUnlocked(call, () => {
      once(call, i, () => {
        insertDocument(writer, engine.catalog, collection, bytes, doc)
        return INSERTED
      })
      n++
      engine.counters.insert++
    })
  })
  return docOf({ n: int32(n), writeErrors: errors.length > 0 ? errors : undefined })
}

async function update (call: Call): Promise<Doc> {
  const statements = call.docs('updates')
  for (const statement of statements) checkUpdateStatement(call, statement)
  const upserted: Value[] = []
  let n = 0
  let nModified = 0
  const errors = await runStatements(call, statements.length, async i => {
    const result = await modify(call, i, readUpdateStatement(statements[i]!))
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
  for (const statement of statements) checkDeleteStatement(call, statement)
  let n = 0
  const errors = await runStatements(call, statements.length, async i => {
    n += await removeMatching(call, i, statements[i]!)
    call.engine.counters.delete++
  })
  return docOf({ n: int32(n), writeErrors: errors.length > 0 ? errors : undefined })
}

function checkDeleteStatement (call: Call, statement: Doc): void {
  checkStatement('delete.deletes', statement, DELETE_FIELDS)
  const limit = statement.get('limit')
  if (!isNumeric(limit) || (toNumber(limit) !== 0 && toNumber(limit) !== 1)) throw mongoError('FailedToParse', 'The limit field in delete objects must be 0 or 1.')
  if (toNumber(limit) === 0) refuseRetry(call, 'limit=0')
}

/** Returns how many documents were removed. */
async function removeMatching (call: Call, i: number, statement: Doc): Promise<number> {
  const filter = parseFilter(docField(statement, 'q'))
  const hint = hintOf(statement.get('hint'))
  const remove = (collection: Collection, key: string, doc: Doc) => {
    removeDocument(call.writer, call.engine.catalog, collection, key.slice(collection.prefix.length), doc)
    return 1
  }
  if (toNumber(statement.get('limit')) === 1) {
    const result = await whenUnlocked(call, () => once(call, i, () => {
      const collection = collectionOf(call)
      const match = collection && firstMatch(call, collection, { filter, sort: [], hint })
      return docOf({ n: int32(match === undefined ? 0 : remove(collection!, match.key, match.doc)) })
    }))
    return toNumber(result.get('n'))
  }
  const collection = collectionOf(call)
  let n = 0
  if (collection === undefined) return n
  for (const { key } of new Query(collection, filter, readerOf(call), { hint }).matches(call.view)) {
    n += await whenUnlocked(call, () => {
      const doc = checkStillMatching(call.view, key, filter)
      return doc === undefined ? 0 : remove(collection, key, doc)
    })
  }
  return n
}

const COMMON = ['ordered', 'bypassDocumentValidation', 'let']

export const writeCommands: Record<string, Command> = {
  insert: { fields: ['documents', ...COMMON], transactional: true, writes: true, retryable: true, run: insert },
  update: { fields: ['updates', ...COMMON], transactional: true, writes: true, retryable: true, run: update },
  delete: { fields: ['deletes', ...COMMON], transactional: true, writes: true, retryable: true, run: remove }
}
