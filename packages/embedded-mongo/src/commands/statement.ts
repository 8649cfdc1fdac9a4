/** Checks that the statements of all write commands share. */
import { encode } from '../bson-bytes.ts'
import { badValue, mongoError } from '../errors.ts'
import { isDoc, ObjectId, Regex, typeName, UNDEFINED } from '../values.ts'
import type { Doc, Value } from '../values.ts'

export function checkStatement (where: string, statement: Doc, known: ReadonlySet<string>): void {
  for (const field of statement.keys()) {
    if (!known.has(field)) throw mongoError(40415, `BSON field '${where}.${field}' is an unknown field.`)
  }
  const collation = statement.get('collation')
  if (isDoc(collation) && collation.size > 0 && collation.get('locale') !== 'simple') throw mongoError('NotImplemented', 'only the simple collation is supported')
}

export function docField (statement: Doc, field: string): Doc {
  const value = statement.get(field)
  if (!isDoc(value)) throw badValue(`field '${field}' must be an object, not ${typeName(value)}`)
  return value
}

/** The document with `_id` first; `bytes` themselves where it came like that. */
export function withId (doc: Doc, bytes?: Buffer): { doc: Doc, bytes: Buffer } {
  const [first] = doc.keys()
  const id = doc.get('_id')
  if (first === '_id' && id !== undefined) {
    checkId(id)
    return { doc, bytes: bytes ?? encode(doc) }
  }
  const complete: Doc = new Map([['_id', id ?? ObjectId.generate()]])
  checkId(complete.get('_id')!)
  for (const [name, value] of doc) if (name !== '_id') complete.set(name, value)
  return { doc: complete, bytes: encode(complete) }
}

function checkId (id: Value): void {
  if (Array.isArray(id) || id instanceof Regex || id === UNDEFINED) {
    throw mongoError('InvalidIdField', `The '_id' value cannot be of type ${typeName(id)}`)
  }
  if (!isDoc(id)) return
  for (const name of id.keys()) {
    if (name.startsWith('$')) throw mongoError('DollarPrefixedFieldName', `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`)
  }
}
