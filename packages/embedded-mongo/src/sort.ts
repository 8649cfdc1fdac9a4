/** Sort specifications and the order they put documents in. */
import { mongoError, notImplemented } from './errors.ts'
import { sortKey, type IndexField } from './key-bytes.ts'
import { pathParts } from './paths.ts'
import { printField } from './print.ts'
import { isNumeric, toNumber, type Doc } from './values.ts'

/** Parses `{ path: 1 | -1, … }`. */
export function parseSort (spec: Doc): IndexField[] {
  return [...spec].map(([path, value]) => {
    if (value instanceof Map) {
      if (value.has('$meta')) throw notImplemented('$meta sort is not supported')
      throw mongoError(15974, `Illegal key in $sort specification: ${printField(path, value)}`)
    }
    if (!isNumeric(value)) throw mongoError(15974, `Illegal key in $sort specification: ${printField(path, value)}`)
    const direction = toNumber(value)
    if (direction !== 1 && direction !== -1) throw mongoError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)')
    checkFieldPath(path)
    return { path, direction }
  })
}

/** Refuses what cannot be the path of a field. */
export function checkFieldPath (path: string) {
  if (path === '') throw mongoError(40352, 'FieldPath cannot be constructed with empty string')
  if (path.endsWith('.')) throw mongoError(40353, 'FieldPath must not end with a \'.\'.')
  for (const part of pathParts(path)) {
    if (part === '') throw mongoError(15998, 'FieldPath field names may not be empty strings.')
    if (part.startsWith('$')) throw mongoError(16410, 'FieldPath field names may not start with \'$\'. Consider using $getField or $setField.')
  }
}

/** A comparison of documents in the order of `fields`. An array counts by its least item ascending, by its greatest descending. */
export function sortComparator (fields: readonly IndexField[]): (a: Doc, b: Doc) => number {
  const keys = new WeakMap<Doc, Buffer>()
  const keyOf = (doc: Doc) => {
    let key = keys.get(doc)
    if (key === undefined) keys.set(doc, key = sortKey(fields, doc))
    return key
  }
  return (a, b) => Buffer.compare(keyOf(a), keyOf(b))
}
