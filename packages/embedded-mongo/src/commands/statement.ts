/** Checks that all write commands share. */
import { encode } from '../bson/index.ts'
import { badValue, mongoError } from '../values/errors.ts'
import { checkIdValue } from '../values/id-value.ts'
import { isDoc, ObjectId, typeName } from '../values/values.ts'
import type { Doc } from '../values/values.ts'

export function checkStatement (where: string, statement: Doc, known: ReadonlySet<string>): void {
  for (const field of statement.keys()) {
    if (!known.has(field)) throw mongoError(40415, `BSON field '${where}.${field}' is an unknown field.`)
  }
  const collation = statement.get('collation')
  if (isDoc(collation) && collation.size > 0 && collation.get('locale') !== 'simple') {
    throw mongoError('NotImplemented', 'only the simple collation is supported')
  }
}

export function docField (statement: Doc, field: string): Doc {
  const value = statement.get(field)
  if (!isDoc(value)) throw badValue(`field '${field}' must be an object, not ${typeName(value)}`)
  return value
}

/** The document with `_id` first. If it came like that, `bytes` are returned as they are. */
export function withId (doc: Doc, bytes?: Buffer): { doc: Doc, bytes: Buffer } {
  const [first] = doc.keys()
  const id = doc.get('_id')
  if (first === '_id' && id !== undefined) {
    checkIdValue(id)
    return { doc, bytes: bytes ?? encode(doc) }
  }
  // Null is an `_id` like any other.
  const complete: Doc = new Map([['_id', id === undefined ? ObjectId.generate() : id]])
  if (id !== undefined) checkIdValue(id)
  for (const [name, value] of doc) if (name !== '_id') complete.set(name, value)
  return { doc: complete, bytes: encode(complete) }
}
