/**
 * The values of a document at the paths of an index. An array on a path gives one row of values for each item. Paths
 * that lead through the same array take their values from the same item. Two different arrays in one document are
 * refused.
 */
import { mongoError, notImplemented } from '../values/errors.ts'
import { isArrayIndex, pathParts } from '../values/paths.ts'
import { UNDEFINED, type Doc, type Value } from '../values/values.ts'

/** A path, how many of its parts were followed, and the value there. A cursor without parts is at its end. */
interface Cursor { parts: readonly string[], next: number, value: Value | undefined }

const NO_PARTS: readonly string[] = []

const ended = (value: Value | undefined): Cursor => ({ parts: NO_PARTS, next: 0, value })

/** All rows of values, possibly with duplicates. A missing value is null, an empty array is BSON's undefined. */
export function extractKeys (paths: readonly string[], doc: Doc): (Value | undefined)[][] {
  const rows: (Value | undefined)[][] = []
  expand(begun(paths, doc), rows)
  return rows
}

/** The paths that lead through an array of this document, or end at one. */
export function pathsThroughArrays (paths: readonly string[], doc: Doc): string[] {
  const cursors = begun(paths, doc).map(follow)
  return paths.filter((_, i) => isInArray(cursors[i]!))
}

const begun = (paths: readonly string[], doc: Doc): Cursor[] =>
  paths.map(path => ({ parts: pathParts(path), next: 0, value: doc }))

function expand (from: readonly Cursor[], rows: (Value | undefined)[][]) {
  const cursors = from.map(follow)
  const [first, ...others] = cursors.filter(isInArray)
  if (first === undefined) {
    rows.push(cursors.map(({ value }) => value ?? null))
    return
  }
  const array = first.value as Value[]
  const parallel = others.find(({ value }) => value !== array)
  if (parallel !== undefined) {
    throw mongoError('CannotIndexParallelArrays',
      `cannot index parallel arrays [${lastPart(parallel)}] [${lastPart(first)}]`)
  }
  for (const item of array.length === 0 ? [UNDEFINED] : array) {
    expand(cursors.map(cursor => isInArray(cursor) ? ofItem(cursor, item) : cursor), rows)
  }
}

/** Follows a path to its end or to the first array. */
function follow ({ parts, next, value }: Cursor): Cursor {
  if (parts.length === 0) return ended(value)
  let current = value
  let at = next
  while (at < parts.length && current instanceof Map) current = current.get(parts[at++] as string)
  if (Array.isArray(current)) return { parts, next: at, value: current }
  return ended(at < parts.length ? undefined : current)
}

const isInArray = ({ parts }: Cursor) => parts.length > 0

const lastPart = ({ parts, next }: Cursor) => parts[next - 1] as string

/** The cursor at an item of the array that a path has reached. An array within the array is one value. */
function ofItem ({ parts, next }: Cursor, item: Value): Cursor {
  if (next === parts.length) return ended(item)
  if (isArrayIndex(parts[next] as string)) {
    throw notImplemented(`indexes and sorts by the position in an array are not supported: '${parts.join('.')}'`)
  }
  return item instanceof Map ? { parts, next, value: item } : ended(undefined)
}
