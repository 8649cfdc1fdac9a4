/** `$unwind`: one document for each item of an array. */
import { mongoError } from './errors.ts'
import { checkFieldPath, pathParts, valueAt, withValueAt } from './paths.ts'
import { BsonUndefined, typeName, type Doc, type Value } from './values.ts'

const OPTIONS = ['path', 'preserveNullAndEmptyArrays', 'includeArrayIndex']

/** Parses the stage to what it does with one document. */
export function parseUnwind (operand: Value): (doc: Doc) => Iterable<Doc> {
  const options: Value = typeof operand === 'string' ? new Map([['path', operand]]) : operand
  if (!(options instanceof Map)) throw mongoError(15981, `expected either a string or an object as specification for $unwind stage, got ${typeName(operand)}`)
  for (const name of options.keys()) if (!OPTIONS.includes(name)) throw mongoError(28811, `unrecognized option to $unwind stage: ${name}`)
  const [path, keepEmpty = false, index] = OPTIONS.map(name => options.get(name))
  if (path === undefined) throw mongoError(28812, 'no path specified to $unwind stage')
  if (typeof path !== 'string') throw mongoError(28808, `expected a string as the path for $unwind stage, got ${typeName(path)}`)
  if (!path.startsWith('$')) throw mongoError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`)
  if (typeof keepEmpty !== 'boolean') throw mongoError(28809, `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeName(keepEmpty)}`)
  if (index !== undefined && (typeof index !== 'string' || index === '')) {
    throw mongoError(28810, `expected a non-empty string for the includeArrayIndex  option to $unwind stage, got ${typeName(index)}`)
  }
  if (index?.startsWith('$') === true) throw mongoError(28822, `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${index}`)
  checkFieldPath(path.slice(1))
  const parts = pathParts(path.slice(1))
  const withIndex = (doc: Doc, at: bigint | null) => index === undefined ? doc : withValueAt(doc, pathParts(index), at)
  return function * (doc) {
    const value = valueAt(doc, parts)
    if (Array.isArray(value) && value.length > 0) {
      for (const [i, item] of value.entries()) yield withIndex(withValueAt(doc, parts, item), BigInt(i))
    } else if (Array.isArray(value)) {
      // An empty array kept is a missing field.
      if (keepEmpty) yield withIndex(withValueAt(doc, parts, undefined), null)
    } else if (keepEmpty || !(value === undefined || value === null || value instanceof BsonUndefined)) {
      yield withIndex(doc, null)
    }
  }
}
