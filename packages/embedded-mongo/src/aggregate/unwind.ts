/** `$unwind`: one document for each item of an array. */
import { mongoError } from '../values/errors.ts'
import { checkFieldPath, pathParts, valueAt, withValueAt } from '../values/paths.ts'
import { BsonUndefined, typeName, type Doc, type Value } from '../values/values.ts'

const OPTIONS = ['path', 'preserveNullAndEmptyArrays']

/** Returns the stage's function for one document. */
export function parseUnwind (operand: Value): (doc: Doc) => Iterable<Doc> {
  const options: Value = typeof operand === 'string' ? new Map([['path', operand]]) : operand
  if (!(options instanceof Map)) {
    throw mongoError(15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeName(operand)}`)
  }
  for (const name of options.keys()) {
    if (!OPTIONS.includes(name)) throw mongoError(28811, `unrecognized option to $unwind stage: ${name}`)
  }
  const [path, keepEmpty = false] = OPTIONS.map(name => options.get(name))
  if (path === undefined) throw mongoError(28812, 'no path specified to $unwind stage')
  if (typeof path !== 'string') {
    throw mongoError(28808, `expected a string as the path for $unwind stage, got ${typeName(path)}`)
  }
  if (!path.startsWith('$')) {
    throw mongoError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`)
  }
  if (typeof keepEmpty !== 'boolean') {
    throw mongoError(28809,
      `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeName(keepEmpty)}`)
  }
  checkFieldPath(path.slice(1))
  const parts = pathParts(path.slice(1))
  return function * (doc) {
    const value = valueAt(doc, parts)
    if (Array.isArray(value) && value.length > 0) {
      for (const item of value) yield withValueAt(doc, parts, item)
    } else if (Array.isArray(value)) {
      // With preserveNullAndEmptyArrays, an empty array becomes a missing field.
      if (keepEmpty) yield withValueAt(doc, parts, undefined)
    } else if (keepEmpty || !(value === undefined || value === null || value instanceof BsonUndefined)) {
      yield doc
    }
  }
}
