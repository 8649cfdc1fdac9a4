/** Parses sort specifications, and sorts documents by them. */
import { mongoError, notImplemented } from '../values/errors.ts'
import { sortKey, type IndexField } from '../keys/key-bytes.ts'
import { sizeOf } from '../values/memory.ts'
import { checkFieldPath } from '../values/paths.ts'
import { printField } from '../values/print.ts'
import { Sorter } from './sorter.ts'
import { PAUSE, type Flow } from '../values/slices.ts'
import { isNumeric, toNumber, type Doc } from '../values/values.ts'

/** Parses `{ path: 1 | -1, … }`. */
export function parseSort (spec: Doc): IndexField[] {
  return [...spec].map(([path, value]) => {
    if (value instanceof Map && value.has('$meta')) throw notImplemented('$meta sort is not supported')
    if (!isNumeric(value)) throw mongoError(15974, `Illegal key in $sort specification: ${printField(path, value)}`)
    const direction = toNumber(value)
    if (direction !== 1 && direction !== -1) {
      throw mongoError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)')
    }
    checkFieldPath(path)
    return { path, direction }
  })
}

/**
 * Yields the documents in the order of `fields`. An array sorts by its least item ascending, by its greatest
 * descending.
 */
export function * sorted (fields: readonly IndexField[], docs: Flow): Flow {
  const sorter = new Sorter<Doc>(Infinity)
  for (const doc of docs) {
    if (doc === PAUSE) yield doc
    else sorter.add(sortKey(fields, doc), doc, sizeOf(doc))
  }
  for (;;) {
    const result = sorter.sorted()
    if (result !== undefined) return yield * result
    yield PAUSE
  }
}
