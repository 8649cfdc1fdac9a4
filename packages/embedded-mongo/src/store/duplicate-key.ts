/** The duplicate key error. Clients parse its text, so it is exactly MongoDB's. */
import { mongoError } from '../values/errors.ts'
import type { MongoError } from '../values/errors.ts'
import { printDoc } from '../values/print.ts'
import { isDoc } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'
import type { Collection } from './collection.ts'
import type { Index } from './index-definition.ts'

export function duplicateKey (collection: Collection, index: Index, doc: Doc): MongoError {
  const keyValue: Doc = new Map()
  for (const { path } of index.fields) keyValue.set(path, fieldAt(doc, path) ?? null)
  const pattern = index.spec.get('key')
  const where = `collection: ${collection.namespace} index: ${index.name}`
  return mongoError('DuplicateKey', `E11000 duplicate key error ${where} dup key: ${printDoc(keyValue)}`,
    [], new Map([['keyPattern', isDoc(pattern) ? pattern : new Map()], ['keyValue', keyValue]]))
}

function fieldAt (doc: Doc, path: string): Value | undefined {
  let value: Value | undefined = doc
  for (const name of path.split('.')) value = isDoc(value) ? value.get(name) : undefined
  return value
}
