/** Checks what a client asks for in `createIndexes`, and tells whether it is there already. */
import { encode } from '../bson-bytes.ts'
import { mongoError } from '../errors.ts'
import { parseFilter } from '../filter.ts'
import type { Collection } from '../store/collection.ts'
import { docOf, int32, isDoc, isNumeric, isTruthy, toNumber } from '../values.ts'
import type { Doc, Value } from '../values.ts'

const KNOWN_OPTIONS = new Set(['key', 'name', 'unique', 'partialFilterExpression', 'v', 'background', 'ns', 'hidden', 'sparse', 'expireAfterSeconds', 'collation'])

/** The specification as it will be stored and listed. */
export function checkIndexSpec (given: Doc): Doc {
  for (const option of given.keys()) {
    if (!KNOWN_OPTIONS.has(option)) throw mongoError('InvalidIndexSpecificationOption', `The field '${option}' is not valid for an index specification, or not supported by this engine`)
  }
  const key = given.get('key')
  const name = given.get('name')
  if (!isDoc(key)) throw mongoError('FailedToParse', "The 'key' field is a required property of an index specification")
  if (typeof name !== 'string' || name === '') throw mongoError('FailedToParse', "The 'name' field is a required property of an index specification")
  checkKey(key)
  refuse(given, 'sparse', value => isTruthy(value))
  refuse(given, 'hidden', value => isTruthy(value))
  refuse(given, 'expireAfterSeconds', () => true)
  refuse(given, 'collation', value => !(isDoc(value) && value.get('locale') === 'simple'))
  const partial = given.get('partialFilterExpression')
  if (partial !== undefined) {
    if (!isDoc(partial)) throw mongoError('TypeMismatch', "The field 'partialFilterExpression' must be an object")
    checkPartial(partial)
  }
  return docOf({ v: int32(2), key, name, unique: isTruthy(given.get('unique')) || undefined, partialFilterExpression: partial })
}

function checkKey (key: Doc): void {
  if (key.size === 0) throw mongoError('CannotCreateIndex', 'Index keys cannot be empty.')
  if (key.size > 32) throw mongoError('CannotCreateIndex', 'Index keys cannot have more than 32 fields.')
  for (const [path, direction] of key) {
    if (typeof direction === 'string') throw mongoError('NotImplemented', `indexes of type '${direction}' are not supported`)
    if (!isNumeric(direction) || !(Math.abs(toNumber(direction)) > 0)) throw mongoError('CannotCreateIndex', 'Values in the index key pattern must be numbers other than 0.')
    if (path === '' || path.split('.').some(part => part === '' || part.startsWith('$'))) {
      throw mongoError('CannotCreateIndex', `Index key contains an illegal field name: '${path}'`)
    }
  }
}

/** What MongoDB allows in a partial index's filter. */
const PARTIAL_OPERATORS = new Set(['$eq', '$exists', '$gt', '$gte', '$lt', '$lte', '$type', '$in'])

function checkPartial (filter: Doc): void {
  parseFilter(filter)
  for (const [name, value] of filter) {
    if (name === '$and' || name === '$or') {
      for (const part of value as Value[]) checkPartial(part as Doc)
      continue
    }
    if (name.startsWith('$')) throw unsupportedPartial(name)
    if (!isDoc(value)) continue
    for (const [operator, argument] of value) {
      if (!operator.startsWith('$')) break
      if (!PARTIAL_OPERATORS.has(operator) || (operator === '$exists' && !isTruthy(argument))) throw unsupportedPartial(operator)
    }
  }
}

function unsupportedPartial (what: string) {
  return mongoError('CannotCreateIndex', `Expression not supported in partial index: ${what}`)
}

function refuse (given: Doc, option: string, matters: (value: Value) => boolean): void {
  const value = given.get(option)
  if (value !== undefined && matters(value)) throw mongoError('NotImplemented', `the index option '${option}' is not supported`)
}

/** Whether the collection has this index; throws when it has another one in its way. */
export function isExisting (collection: Collection, spec: Doc): boolean {
  const name = spec.get('name') as string
  for (const index of collection.indexes) {
    const sameKey = sameBytes(index.spec.get('key'), spec.get('key'))
    const samePartial = sameBytes(index.spec.get('partialFilterExpression'), spec.get('partialFilterExpression'))
    const sameOptions = samePartial && (index.unique === (spec.get('unique') === true) || index.name === '_id_')
    if (index.name === name) {
      if (sameKey && sameOptions) return true
      throw mongoError('IndexKeySpecsConflict', `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: { name: "${name}" }, existing index: { name: "${index.name}" }`)
    }
    if (!sameKey || !samePartial) continue
    if (index.name === '_id_') return true
    if (sameOptions) throw mongoError('IndexOptionsConflict', `Index already exists with a different name: ${index.name}`)
    throw mongoError('IndexOptionsConflict', `An equivalent index already exists with different options. Requested index: { name: "${name}" }, existing index: { name: "${index.name}" }`)
  }
  return false
}

function sameBytes (a: Value | undefined, b: Value | undefined): boolean {
  return encode(docOf({ a: plain(a) })).equals(encode(docOf({ a: plain(b) })))
}

/** Directions 1, 1.0 and NumberLong(1) are the same. */
function plain (value: Value | undefined): Value | undefined {
  return isDoc(value) ? new Map([...value].map(([name, part]) => [name, isNumeric(part) ? toNumber(part) : part])) : value
}
