/** Applies one update statement of `update` or `findAndModify`. */
import type { Call } from './command.ts'
import { failedToParse } from '../values/errors.ts'
import { parseFilter } from '../filter/index.ts'
import type { Match } from '../query/query.ts'
import { parseSort } from '../query/sort.ts'
import type { Collection } from '../store/collection.ts'
import { insertDocument, replaceDocument } from '../store/documents.ts'
import { applyUpdate, isReplacement, parseUpdate, upsertDocument } from '../update/apply.ts'
import type { Update } from '../update/apply.ts'
import { docOf, int32, isDoc, isTruthy, NOTHING } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import { collectionOf, ensureCollection, hintOf } from './find.ts'
import { onEachMatch, onFirstMatch } from './matches.ts'
import type { Selection } from './matches.ts'
import { checkStatement, docField, withId } from './statement.ts'
import { refuseRetry } from './write-batch.ts'

export type UpdateStatement = Selection & {
  readonly update: Update
  readonly multi: boolean
  readonly upsert: boolean
}

/** What an update did to one document. */
export type Modified = { readonly before: Doc | undefined, readonly after: Doc, readonly changed: boolean }

/** An unknown argument fails the whole command before its first statement. */
export function checkUpdateStatement (call: Call, statement: Doc): void {
  checkStatement('update.updates', statement, UPDATE_FIELDS)
  if (!isTruthy(statement.get('multi'))) return
  refuseRetry(call, 'multi=true')
  if (statement.has('sort')) throw failedToParse(SORT_WITH_MULTI)
}

const UPDATE_FIELDS = new Set(['q', 'u', 'multi', 'upsert', 'sort', 'hint', 'collation'])
const SORT_WITH_MULTI = 'Cannot specify sort with multi=true'

export function readUpdateStatement (namespace: string, statement: Doc): UpdateStatement {
  return parseUpdateStatement({
    namespace,
    filter: docField(statement, 'q'),
    update: statement.get('u'),
    multi: isTruthy(statement.get('multi')),
    upsert: isTruthy(statement.get('upsert')),
    sort: statement.has('sort') ? docField(statement, 'sort') : undefined,
    hint: statement.get('hint')
  })
}

/** An update statement as it came, of `update` or of `bulkWrite`. */
export type RawUpdate = {
  readonly namespace: string
  readonly filter: Doc
  readonly update: Value | undefined
  readonly multi: boolean
  readonly upsert: boolean
  readonly sort: Doc | undefined
  readonly hint: Value | undefined
}

export function parseUpdateStatement (raw: RawUpdate): UpdateStatement {
  const { namespace, multi, upsert, sort } = raw
  if (multi && sort !== undefined) throw failedToParse(SORT_WITH_MULTI)
  const update = readUpdate(raw.update)
  if (multi && isReplacement(update)) {
    throw failedToParse('multi update is not supported for replacement-style update')
  }
  return {
    namespace,
    filter: parseFilter(raw.filter),
    update,
    multi,
    upsert,
    sort: parseSort(sort ?? NOTHING),
    hint: hintOf(raw.hint)
  }
}

export function readUpdate (update: Value | undefined): Update {
  if (!isDoc(update) && !Array.isArray(update)) throw failedToParse('the update must be an object or an array')
  return parseUpdate(update as Doc | Doc[])
}

/** Successive statements with the same result object share one stored session record. */
const NOT_FOUND = docOf({ n: int32(0), nModified: int32(0) })
const UNCHANGED = docOf({ n: int32(1), nModified: int32(0) })
const CHANGED = docOf({ n: int32(1), nModified: int32(1) })

/** The result of an `update` statement: `n`, `nModified`, and the `_id` of an upserted document. */
export async function modify (call: Call, statementId: number, statement: UpdateStatement): Promise<Doc> {
  const collection = collectionOf(call, statement.namespace)
  if (statement.multi && collection !== undefined) {
    let n = 0
    let nModified = 0
    await onEachMatch(call, collection, statement, match => {
      const modified = modifiedBy(statement, match)
      store(call, collection, match.key, modified)
      if (modified.changed) nModified++
      n++
    })
    if (n > 0 || !statement.upsert) return docOf({ n: int32(n), nModified: int32(nModified) })
  }
  return await modifyOne(call, statementId, statement, modified => {
    if (modified === undefined) return NOT_FOUND
    const { before, after, changed } = modified
    if (before === undefined) return docOf({ n: int32(1), nModified: int32(0), _id: after.get('_id') })
    return changed ? CHANGED : UNCHANGED
  })
}

/**
 * Changes the first match, or upserts. `describe` makes the statement's result, from undefined if it did neither.
 * It is called before anything is written, because it may throw.
 */
export async function modifyOne (
  call: Call, statementId: number, statement: UpdateStatement, describe: (modified: Modified | undefined) => Doc
): Promise<Doc> {
  return await onFirstMatch(call, statementId, statement, ({ collection, match }) => {
    if (match !== undefined) {
      const modified = modifiedBy(statement, match)
      const result = describe(modified)
      store(call, collection!, match.key, modified)
      return result
    }
    if (!statement.upsert) return describe(undefined)
    const { doc, bytes } = withId(upsertDocument(statement.update, statement.filter))
    const result = describe({ before: undefined, after: doc, changed: true })
    insertDocument(call.writer, collection ?? ensureCollection(call, statement.namespace), bytes, doc)
    return result
  })
}

function modifiedBy ({ update }: UpdateStatement, { doc: before }: Match): Modified & { before: Doc } {
  const after = applyUpdate(update, before, { insert: false })
  return after === null ? { before, after: before, changed: false } : { before, after, changed: true }
}

function store (call: Call, collection: Collection, key: string, modified: Modified & { before: Doc }): void {
  if (modified.changed) replaceDocument(call.writer, collection, key, modified.before, modified.after)
}
