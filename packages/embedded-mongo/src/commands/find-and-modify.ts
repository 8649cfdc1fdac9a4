/** findAndModify: changes or removes the first match in an order, and returns it as it was or is. */
import type { Call, Command } from './command.ts'
import { mongoError } from '../values/errors.ts'
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
  if (removes && call.body.has('update')) throw mongoError('FailedToParse', 'Cannot specify both an update and remove=true')
  if (removes && returnsNew) throw mongoError('FailedToParse', "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document")
  if (removes && call.boolean('upsert', false)) throw mongoError('FailedToParse', 'Cannot specify both upsert=true and remove=true')
  if (!removes && !call.body.has('update')) throw mongoError('FailedToParse', 'Either an update or remove=true must be specified')
  return new Map(removes ? await removeOne(call) : await updateOne(call, returnsNew))
}

function selection (call: Call) {
  return {
    filter: parseFilter(call.doc('query') ?? new Map()),
    sort: parseSort(call.doc('sort') ?? new Map()),
    hint: hintOf(call.body.get('hint'))
  }
}

async function removeOne (call: Call): Promise<Doc> {
  const shown = showing(call)
  return await onFirstMatch(call, 0, selection(call), ({ collection, match }) => {
    const result = docOf({ lastErrorObject: docOf({ n: int32(match === undefined ? 0 : 1) }), value: shown(match?.doc) })
    if (match !== undefined) removeDocument(call.writer, collection!, match.key, match.doc)
    return result
  })
}

async function updateOne (call: Call, returnsNew: boolean): Promise<Doc> {
  const shown = showing(call)
  const update = readUpdate(call.body.get('update'))
  return await modifyOne(call, 0, { ...selection(call), update, multi: false, upsert: call.boolean('upsert', false) }, modified => {
    const inserted = modified !== undefined && modified.before === undefined
    return docOf({
      lastErrorObject: docOf({
        n: int32(modified === undefined ? 0 : 1),
        updatedExisting: modified !== undefined && !inserted,
        upserted: inserted ? modified.after.get('_id') : undefined
      }),
      value: shown(returnsNew ? modified?.after : modified?.before)
    })
  })
}

/** What the answer shows of a document. */
function showing (call: Call): (doc: Doc | undefined) => Doc | null {
  const fields = call.doc('fields') ?? new Map()
  const project = fields.size === 0 ? undefined : parseProjection(fields)
  return doc => doc === undefined ? null : project?.(doc) ?? doc
}

const command: Command = {
  fields: ['query', 'sort', 'remove', 'update', 'new', 'fields', 'upsert', 'hint', 'collation', 'bypassDocumentValidation'],
  transactional: true,
  writes: true,
  retryable: true,
  run: findAndModify
}

export const findAndModifyCommands: Record<string, Command> = { findAndModify: command, findandmodify: command }
