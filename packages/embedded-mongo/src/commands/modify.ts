/** Applies one update statement, for `update` and `findAndModify`. */
import { decode } from '../bson-bytes.ts'
import type { Call } from '../command.ts'
import { mongoError } from '../errors.ts'
import { matches, parseFilter } from '../filter.ts'
import type { Filter } from '../filter.ts'
import type { IndexField } from '../key-bytes.ts'
import { Query } from '../query.ts'
import type { Match } from '../query.ts'
import type { Collection } from '../store/collection.ts'
import { insertDocument, replaceDocument } from '../store/documents.ts'
import type { View } from '../store/view.ts'
import { applyUpdate, isReplacement, parseUpdate, upsertDocument } from '../update.ts'
import type { Update } from '../update.ts'
import { docOf, int32, isDoc, isTruthy } from '../values.ts'
import type { Doc, Value } from '../values.ts'
import { collectionOf, ensureCollection, hintOf, readerOf } from './find.ts'
import { checkStatement, docField, withId } from './statement.ts'
import { once, refuseRetry, whenUnlocked } from './write-batch.ts'

export type UpdateStatement = {
  readonly filter: Filter
  readonly update: Update
  readonly multi: boolean
  readonly upsert: boolean
  readonly hint: Value | undefined
  readonly sort: readonly IndexField[]
}

/** What an update did to one document. */
export type Modified = { readonly before: Doc | undefined, readonly after: Doc, readonly changed: boolean }

/** Unknown arguments fail the whole command, before its first statement. */
export function checkUpdateStatement (call: Call, statement: Doc): void {
  checkStatement('update.updates', statement, UPDATE_FIELDS)
  if (isTruthy(statement.get('multi'))) refuseRetry(call, 'multi=true')
}

const UPDATE_FIELDS = new Set(['q', 'u', 'multi', 'upsert', 'hint', 'arrayFilters', 'collation'])

export function readUpdateStatement (statement: Doc): UpdateStatement {
  const multi = isTruthy(statement.get('multi'))
  const update = readUpdate(statement.get('u'), statement.get('arrayFilters'))
  if (multi && isReplacement(update)) throw mongoError('FailedToParse', 'multi update is not supported for replacement-style update')
  return { filter: parseFilter(docField(statement, 'q')), update, multi, upsert: isTruthy(statement.get('upsert')), hint: hintOf(statement.get('hint')), sort: [] }
}

export function readUpdate (update: Value | undefined, arrayFilters: Value | undefined): Update {
  if (Array.isArray(update)) return parseUpdate(update as Doc[], arrayFilters as Doc[] | undefined)
  if (!isDoc(update)) throw mongoError('FailedToParse', 'the update must be an object or an array')
  return parseUpdate(update, arrayFilters as Doc[] | undefined)
}

/** The result of an `update` statement: `n`, `nModified`, and the `_id` of an upserted document. */
export async function modify (call: Call, i: number, statement: UpdateStatement): Promise<Doc> {
  const collection = collectionOf(call)
  if (statement.multi && collection !== undefined) {
    const result = await modifyAll(call, collection, statement)
    if (result.n > 0 || !statement.upsert) return docOf({ n: int32(result.n), nModified: int32(result.nModified) })
  }
  return await modifyOne(call, i, statement, modified => {
    if (modified === undefined) return docOf({ n: int32(0), nModified: int32(0) })
    const { before, after, changed } = modified
    return docOf({ n: int32(1), nModified: int32(before !== undefined && changed ? 1 : 0), _id: before === undefined ? after.get('_id') : undefined })
  })
}

async function modifyAll (call: Call, collection: Collection, statement: UpdateStatement): Promise<{ n: number, nModified: number }> {
  const { view } = call
  const { filter } = statement
  // All matches are found before the first is changed, so that none is met again at its new place in an index.
  const query = new Query(collection, filter, readerOf(call), { hint: statement.hint })
  let n = 0
  let nModified = 0
  for (const { key } of query.matches(view)) {
    const modified = await whenUnlocked(call, () => {
      const doc = checkStillMatching(view, key, filter)
      return doc === undefined ? undefined : change(call, collection, { key, doc }, statement)
    })
    if (modified === undefined) continue
    n++
    if (modified.changed) nModified++
  }
  return { n, nModified }
}

/** Changes the first match, or upserts; `describe` makes statement `i`'s result of it, or of neither. */
export async function modifyOne (call: Call, i: number, statement: UpdateStatement, describe: (modified: Modified | undefined) => Doc): Promise<Doc> {
  return await whenUnlocked(call, () => once(call, i, () => {
    const collection = collectionOf(call)
    const match = collection && firstMatch(call, collection, statement)
    if (match !== undefined) return describe(change(call, collection!, match, statement))
    return describe(statement.upsert ? upsert(call, collection ?? ensureCollection(call), statement) : undefined)
  }))
}

export function firstMatch (call: Call, collection: Collection, statement: Pick<UpdateStatement, 'filter' | 'sort' | 'hint'>): Match | undefined {
  const { filter, sort, hint } = statement
  return new Query(collection, filter, readerOf(call), { sort, hint, limit: 1 }).matches(call.view)[0]
}

function change (call: Call, collection: Collection, match: Match, { update, filter }: UpdateStatement): Modified {
  const before = match.doc
  const after = applyUpdate(update, before, { insert: false, filter })
  if (after === null) return { before, after: before, changed: false }
  replaceDocument(call.writer, call.engine.catalog, collection, match.key.slice(collection.prefix.length), before, after)
  return { before, after, changed: true }
}

function upsert (call: Call, collection: Collection, statement: UpdateStatement): Modified {
  const { doc, bytes } = withId(upsertDocument(statement.update, statement.filter))
  insertDocument(call.writer, call.engine.catalog, collection, bytes, doc)
  return { before: undefined, after: doc, changed: true }
}

/** The document, read again: while its statement waited, it may have changed or gone. */
export function checkStillMatching (view: View, key: string, filter: Filter): Doc | undefined {
  const bytes = view.peek(key)
  if (bytes === undefined) return undefined
  const doc = decode(bytes)
  return matches(filter, doc) ? doc : undefined
}
