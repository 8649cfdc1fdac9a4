/** `$lookup` in its equality form: joins a document with those of another collection whose field has the same value. */
import { failedToParse, notImplemented } from '../values/errors.ts'
import { oneOf, type Filter } from '../filter/index.ts'
import { checkFieldPath, itemsAt, pathParts, withValueAt } from '../values/paths.ts'
import { BsonUndefined, typeName, type Doc, type Value } from '../values/values.ts'

export interface Lookup {
  from: string
  /** The filter for the documents that `doc` is joined with. */
  filterFor: (doc: Doc) => Filter
  /** `doc` with the documents found. */
  join: (doc: Doc, found: Doc[]) => Doc
}

const FIELDS = ['from', 'localField', 'foreignField', 'as']

export function parseLookup (operand: Value): Lookup {
  if (!(operand instanceof Map)) {
    throw failedToParse(`the $lookup stage specification must be an object, but found ${typeName(operand)}`)
  }
  if (operand.has('pipeline') || operand.has('let')) throw notImplemented('$lookup with a pipeline is not supported')
  for (const [name, value] of operand) {
    if (!FIELDS.includes(name)) throw failedToParse(`unknown argument to $lookup: ${name}`)
    if (typeof value !== 'string') {
      throw failedToParse(`$lookup argument '${name}' must be a string, is type ${typeName(value)}`)
    }
  }
  const [from, localField, foreignField, as] = FIELDS.map(name => operand.get(name) as string | undefined)
  if (as === undefined) throw failedToParse('must specify \'as\' field for a $lookup')
  if (from === undefined) throw failedToParse('must specify \'pipeline\' when \'from\' is empty')
  if (localField === undefined || foreignField === undefined) {
    throw failedToParse("$lookup requires both or neither of 'localField' and 'foreignField' to be specified")
  }
  for (const path of [localField, foreignField, as]) checkFieldPath(path)
  return {
    from,
    filterFor: doc => {
      const values = itemsAt(doc, pathParts(localField)).map(value => value instanceof BsonUndefined ? null : value)
      // A missing or undefined value joins with null and with missing.
      return oneOf(foreignField, values.length === 0 ? [null] : values)
    },
    join: (doc, found) => withValueAt(doc, pathParts(as), found)
  }
}
