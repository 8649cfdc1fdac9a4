/** `insert`, `update` and `delete`. */
import type { Call, Command } from './command.ts'
import { mongoError } from '../values/errors.ts'
import { parseFilter } from '../filter/index.ts'
import type { Match } from '../query/query.ts'
import type { Collection } from '../store/collection.ts'
import { insertDocument, removeDocument } from '../store/documents.ts'
import { docOf, int32, isNumeric, toNumber } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import { collectionOf, ensureCollection, hintOf } from './find.ts'
import { onEachMatch, onFirstMatch } from './matches.ts'
import type { Selection } from './matches.ts'
import { checkUpdateStatement, modify, readUpdateStatement } from './modify.ts'
import { checkStatement, docField, withId } from './statement.ts'
import { once, refuseRetry, runStatements, whenUnlocked } from './write-batch.ts'

const ONE = docOf({ n: int32(1) })
const NONE = docOf({ n: int32(0) })

async function insert (call: Call): Promise<Doc> {
  const docs = call.docs('documents')
  const raw = call.request.rawDocuments('documents')!
  const { writer } = call
  let collection = await whenUnlocked(call, () => ensureCollection(call))
  let n = 0
  const errors = await runStatements(call, docs.length, i => {
    const { doc, bytes } = withId(docs[i]!, raw[i]!)
    return whenUnlocked(call, () => {
      // Another command has dropped the collection meanwhile: as in MongoDB, the other documents get a new one.
      if (collection.dropped) collection = ensureCollection(call)
      once(call, i, () => {
        insertDocument(writer, collection, bytes, doc)
        return ONE
      })
      n++
    })
  })
  return docOf({ n: int32(n), writeErrors: errors.length > 0 ? errors : undefined })
}

/** Inserts one document as a statement of its own. */
export function insertOne (
  call: Call, statementId: number, namespace: string, document: Doc, raw: Buffer
): void | Promise<void> {
  const { doc, bytes } = withId(document, raw)
  return whenUnlocked(call, () => {
    once(call, statementId, () => {
      insertDocument(call.writer, ensureCollection(call, namespace), bytes, doc)
      return ONE
    })
  })
}

async function update (call: Call): Promise<Doc> {
  const namespace = call.namespace()
  const statements = call.docs('updates')
  for (const statement of statements) checkUpdateStatement(call, statement)
  const upserted: Value[] = []
  let n = 0
  let nModified = 0
  const errors = await runStatements(call, statements.length, async i => {
    const result = await modify(call, i, readUpdateStatement(namespace, statements[i]!))
    n += toNumber(result.get('n'))
    nModified += toNumber(result.get('nModified'))
    const id = result.get('_id')
    if (id !== undefined) upserted.push(docOf({ index: int32(i), _id: id }))
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
  const namespace = call.namespace()
  const statements = call.docs('deletes')
  for (const statement of statements) checkDeleteStatement(call, statement)
  let n = 0
  const errors = await runStatements(call, statements.length, async i => {
    const statement = statements[i]!
    const filter = parseFilter(docField(statement, 'q'))
    const selection = { namespace, filter, hint: hintOf(statement.get('hint')) }
    n += await removeMatching(call, i, selection, toNumber(statement.get('limit')) === 0)
  })
  return docOf({ n: int32(n), writeErrors: errors.length > 0 ? errors : undefined })
}

function checkDeleteStatement (call: Call, statement: Doc): void {
  checkStatement('delete.deletes', statement, DELETE_FIELDS)
  const limit = statement.get('limit')
  if (!isNumeric(limit) || (toNumber(limit) !== 0 && toNumber(limit) !== 1)) {
    throw mongoError('FailedToParse', 'The limit field in delete objects must be 0 or 1.')
  }
  if (toNumber(limit) === 0) refuseRetry(call, 'limit=0')
}

/** Returns how many documents were removed: all that match, or the first. */
export async function removeMatching (
  call: Call, statementId: number, selection: Selection, multi: boolean
): Promise<number> {
  const remove = (collection: Collection, { key, doc }: Match) => {
    removeDocument(call.writer, collection, key, doc)
  }
  if (!multi) {
    const result = await onFirstMatch(call, statementId, selection, ({ collection, match }) => {
      if (match !== undefined) remove(collection!, match)
      return match === undefined ? NONE : ONE
    })
    return toNumber(result.get('n'))
  }
  const collection = collectionOf(call, selection.namespace)
  let n = 0
  if (collection !== undefined) {
    await onEachMatch(call, collection, selection, match => {
      remove(collection, match)
      n++
    })
  }
  return n
}

const COMMON = ['ordered', 'bypassDocumentValidation']

export const writeCommands: Record<string, Command> = {
  insert: { fields: ['documents', ...COMMON], transactional: true, writes: true, retryable: true, run: insert },
  update: { fields: ['updates', ...COMMON], transactional: true, writes: true, retryable: true, run: update },
  delete: { fields: ['deletes', ...COMMON], transactional: true, writes: true, retryable: true, run: remove }
}
