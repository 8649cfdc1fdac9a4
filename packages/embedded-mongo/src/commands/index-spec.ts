/** Checks the index specifications of `createIndexes`, and finds indexes that exist already. */
import { encode } from '../bson/index.ts'
import { failedToParse, mongoError } from '../values/errors.ts'
import { assertPartialFilter, parseFilter } from '../filter/index.ts'
import type { Collection } from '../store/collection.ts'
import type { Index } from '../store/index-definition.ts'
import { docOf, int32, isDoc, isNumeric, isTruthy, toNumber } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'

const KNOWN_OPTIONS = new Set([
  'key', 'name', 'unique', 'partialFilterExpression', 'v', 'background', 'sparse', 'expireAfterSeconds'
])

/** Returns the specification as it is stored and listed. */
export function checkIndexSpec (given: Doc): Doc {
  for (const option of given.keys()) {
    if (KNOWN_OPTIONS.has(option)) continue
    throw mongoError('InvalidIndexSpecificationOption',
      `The field '${option}' is not valid for an index specification, or this engine does not support it`)
  }
  const key = given.get('key')
  const name = given.get('name')
  if (!isDoc(key)) throw failedToParse("The 'key' field is a required property of an index specification")
  if (typeof name !== 'string' || name === '') {
    throw failedToParse("The 'name' field is a required property of an index specification")
  }
  checkKey(key)
  checkExpiry(given, key)
  const partial = given.get('partialFilterExpression')
  if (partial !== undefined) {
    if (!isDoc(partial)) throw mongoError('TypeMismatch', "The field 'partialFilterExpression' must be an object")
    if (isTruthy(given.get('sparse'))) {
      throw mongoError('CannotCreateIndex', 'cannot mix "partialFilterExpression" and "sparse" options')
    }
    assertPartialFilter(parseFilter(partial))
  }
  return docOf({
    v: int32(2),
    key,
    name,
    unique: isTruthy(given.get('unique')) || undefined,
    sparse: isTruthy(given.get('sparse')) || undefined,
    partialFilterExpression: partial,
    expireAfterSeconds: given.get('expireAfterSeconds')
  })
}

function checkKey (key: Doc): void {
  if (key.size === 0) throw mongoError('CannotCreateIndex', 'Index keys cannot be empty.')
  if (key.size > 32) throw mongoError('CannotCreateIndex', 'Index keys cannot have more than 32 fields.')
  for (const [path, direction] of key) {
    if (typeof direction === 'string') {
      throw mongoError('NotImplemented', `indexes of type '${direction}' are not supported`)
    }
    if (!isNumeric(direction) || !(Math.abs(toNumber(direction)) > 0)) {
      throw mongoError('CannotCreateIndex', 'Values in the index key pattern must be numbers other than 0.')
    }
    if (path === '' || path.split('.').some(part => part === '' || part.startsWith('$'))) {
      throw mongoError('CannotCreateIndex', `Index key contains an illegal field name: '${path}'`)
    }
  }
}

/** `expireAfterSeconds` needs an index on a single field other than `_id`. */
function checkExpiry (given: Doc, key: Doc): void {
  const seconds = given.get('expireAfterSeconds')
  if (seconds === undefined) return
  const path = key.keys().next().value
  if (key.size !== 1 || path === '_id') {
    throw mongoError('CannotCreateIndex',
      'TTL indexes are single-field indexes, compound indexes do not support TTL, and the field must not be _id')
  }
  if (!isNumeric(seconds) || !(toNumber(seconds) >= 0 && toNumber(seconds) <= 0x7fffffff)) {
    throw mongoError('CannotCreateIndex',
      "TTL index 'expireAfterSeconds' option must be within an acceptable range, 0 to 2147483647")
  }
}

/**
 * The collection's index with this specification, if it exists. @throws MongoError if another index conflicts with it
 */
export function existingIndex (collection: Collection, spec: Doc): Index | undefined {
  const name = spec.get('name') as string
  for (const index of collection.indexes) {
    const both = `Requested index: { name: "${name}" }, existing index: { name: "${index.name}" }`
    const sameKey = sameBytes(index.spec.get('key'), spec.get('key'))
    const samePartial = sameBytes(index.spec.get('partialFilterExpression'), spec.get('partialFilterExpression'))
    const sameOptions = samePartial &&
      sameOption(index.spec, spec, 'expireAfterSeconds') && sameOption(index.spec, spec, 'sparse') &&
      (index.unique === (spec.get('unique') === true) || index.name === '_id_')
    if (index.name === name) {
      if (sameKey && sameOptions) return index
      throw mongoError('IndexKeySpecsConflict',
        'An existing index has the same name as the requested index. When index names are not specified, they are ' +
        `auto generated and can cause conflicts. Please refer to our documentation. ${both}`)
    }
    if (!sameKey || !samePartial) continue
    if (index.name === '_id_') return index
    throw mongoError('IndexOptionsConflict', sameOptions
      ? `Index already exists with a different name: ${index.name}`
      : `An equivalent index already exists with different options. ${both}`)
  }
  return undefined
}

function sameOption (a: Doc, b: Doc, option: string): boolean {
  const [left, right] = [a.get(option), b.get(option)]
  return isNumeric(left) ? toNumber(left) === toNumber(right) : left === right
}

function sameBytes (a: Value | undefined, b: Value | undefined): boolean {
  return encode(docOf({ a: plain(a) })).equals(encode(docOf({ a: plain(b) })))
}

/** The directions 1, 1.0 and NumberLong(1) are the same. */
function plain (value: Value | undefined): Value | undefined {
  if (!isDoc(value)) return value
  return new Map([...value].map(([name, part]) => [name, isNumeric(part) ? toNumber(part) : part]))
}
