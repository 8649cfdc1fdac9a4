/** `findAndModify`: changes or removes the first match in an order, and returns it as it was before or is after. */
import type { Call, Command } from './command.ts'
import { failedToParse } from '../values/errors.ts'
import { parseFilter } from '../filter/index.ts'
import { parseProjection } from '../aggregate/projection.ts'
import { parseSort } from '../query/sort.ts'
import { removeDocument } from '../store/documents.ts'
import { docOf, int32 } from '../values/values.ts'
import type { Doc } from '../values/values.ts'
import { hintOf, refuseCollation } from './find.ts'
import { onFirstMatch } from './matches.ts'
import { modifyOne, readUpdate } from './modify.ts'

async function findAndModify (call: Call): Promise<Doc> {
  refuseCollation(call)
  const removes = call.boolean('remove', false)
  const returnsNew = call.boolean('new', false)
  const upserts = call.boolean('upsert', false)
  if (removes && call.body.has('update')) throw failedToParse('Cannot specify both an update and remove=true')
  if (removes && returnsNew) {
    throw failedToParse("Cannot specify both new=true and remove=true; 'remove' always returns the deleted document")
  }
  if (removes && upserts) throw failedToParse('Cannot specify both upsert=true and remove=true')
  if (!removes && !call.body.has('update')) throw failedToParse('Either an update or remove=true must be specified')
  return new Map(removes ? await removeOne(call) : await updateOne(call, returnsNew, upserts))
}

function selection (call: Call) {
  return {
    namespace: call.namespace(),
    filter: parseFilter(call.doc('query') ?? new Map()),
    sort: parseSort(call.doc('sort') ?? new Map()),
    hint: hintOf(call.body.get('hint'))
  }
}

async function removeOne (call: Call): Promise<Doc> {
  const project = projectionOf(call)
  return await onFirstMatch(call, 0, selection(call), ({ collection, match }) => {
    const n = int32(match === undefined ? 0 : 1)
    const result = docOf({ lastErrorObject: docOf({ n }), value: project(match?.doc) })
    if (match !== undefined) removeDocument(call.writer, collection!, match.key, match.doc)
    return result
  })
}

async function updateOne (call: Call, returnsNew: boolean, upsert: boolean): Promise<Doc> {
  const project = projectionOf(call)
  const update = readUpdate(call.body.get('update'))
  return await modifyOne(call, 0, { ...selection(call), update, multi: false, upsert }, modified => {
    const inserted = modified !== undefined && modified.before === undefined
    return docOf({
      lastErrorObject: docOf({
        n: int32(modified === undefined ? 0 : 1),
        updatedExisting: modified !== undefined && !inserted,
        upserted: inserted ? modified.after.get('_id') : undefined
      }),
      value: project(returnsNew ? modified?.after : modified?.before)
    })
  })
}

function projectionOf (call: Call): (doc: Doc | undefined) => Doc | null {
  const fields = call.doc('fields') ?? new Map()
  const project = fields.size === 0 ? undefined : parseProjection(fields)
  return doc => doc === undefined ? null : project?.(doc) ?? doc
}

const command: Command = {
  fields: [
    'query', 'sort', 'remove', 'update', 'new', 'fields', 'upsert', 'hint', 'collation', 'bypassDocumentValidation'
  ],
  transactional: true,
  writes: true,
  retryable: true,
  run: findAndModify
}

export const findAndModifyCommands: Record<string, Command> = { findAndModify: command, findandmodify: command }
