/** Checks the `_id` of a document. */
import { mongoError } from './errors.ts'
import { BsonUndefined, Regex, typeName, type Doc, type Value } from './values.ts'

/** @throws MongoError for a value that may not be an `_id` */
export function checkIdValue (id: Value) {
  if (Array.isArray(id) || id instanceof Regex || id instanceof BsonUndefined) {
    throw mongoError('InvalidIdField', `The '_id' value cannot be of type ${typeName(id)}`)
  }
  if (id instanceof Map) checkFields(id)
}

function checkFields (doc: Doc) {
  for (const [name, value] of doc) {
    if (name.startsWith('$')) {
      throw mongoError('DollarPrefixedFieldName',
        `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`)
    }
    if (value instanceof Map) checkFields(value)
  }
}
