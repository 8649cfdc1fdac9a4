/**
 * The values an index over several paths takes from one document: arrays on the way are expanded, one row of values an item. All paths
 * that lead through the same array take their values from the same item; two different arrays cannot be expanded at once.
 */
import { mongoError } from './errors.ts'
import { isArrayIndex, pathParts } from './paths.ts'
import { UNDEFINED, type Doc, type Value } from './values.ts'

/** One path's state: what is left of it, and the value once it is known. */
interface Cursor {
  parts: readonly string[]
  /** The next part to follow; `parts.length` when the value is fixed. */
  next: number
  value: Value | undefined
  /** The item that the next part names by its position in the array just entered. */
  positioned?: { item: Value, next: number } | undefined
}

/** All rows of values of `paths` in `doc`; missing values are null, an empty array is BSON's undefined. May hold equal rows. */
export function extractKeys (paths: readonly string[], doc: Doc): (Value | undefined)[][] {
  const rows: (Value | undefined)[][] = []
  expand(paths.map(path => ({ parts: pathParts(path), next: 0, value: undefined })), doc, rows)
  return rows
}

function expand (cursors: readonly Cursor[], doc: Doc, rows: (Value | undefined)[][]) {
  let array: Value[] | undefined
  let arrayPart = ''
  let nested = false
  const moved: Cursor[] = []
  const inArray: boolean[] = []
  for (const cursor of cursors) {
    if (cursor.next === cursor.parts.length) {
      moved.push(cursor)
      inArray.push(false)
      continue
    }
    const step = follow(cursor, doc)
    if (!Array.isArray(step.value)) {
      moved.push({ ...step, next: step.parts.length })
      inArray.push(false)
      continue
    }
    const part = step.parts[step.next - 1] as string
    if (array === undefined) {
      array = step.value
      arrayPart = part
    } else if (array !== step.value) {
      throw mongoError('CannotIndexParallelArrays', `cannot index parallel arrays [${part}] [${arrayPart}]`)
    }
    // An array within the array, named by its position, is one value.
    nested ||= Array.isArray(cursor.positioned?.item)
    moved.push(step)
    inArray.push(true)
  }
  if (array === undefined) {
    rows.push(moved.map(cursor => cursor.value ?? null))
    return
  }
  expandItems(moved, inArray, array, nested, rows)
}

/** Follows a cursor from `doc` to the end of its path or to the first array. */
function follow (cursor: Cursor, doc: Doc): Cursor {
  const { parts, positioned } = cursor
  const name = parts[cursor.next] as string
  if (positioned !== undefined) {
    if (doc.has(name)) {
      throw mongoError(16746, `Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '${name}' for array`)
    }
    return walk(parts, positioned.next, positioned.item)
  }
  return walk(parts, cursor.next + 1, doc.get(name))
}

function walk (parts: readonly string[], next: number, start: Value | undefined): Cursor {
  let value = start
  while (next < parts.length && value instanceof Map) value = value.get(parts[next++] as string)
  if (next < parts.length && !Array.isArray(value)) value = undefined
  return { parts, next, value }
}

function expandItems (cursors: readonly Cursor[], inArray: readonly boolean[], array: Value[], nested: boolean, rows: (Value | undefined)[][]) {
  const positioned = cursors.map((cursor, i) => inArray[i] === true && cursor.next < cursor.parts.length ? positionOf(cursor, array) : undefined)
  const items = array.length === 0 ? [UNDEFINED] : array
  const whole = nested && array.length > 0
  for (const item of items) {
    const next = cursors.map((cursor, i): Cursor => {
      if (inArray[i] !== true) return cursor
      if (cursor.next === cursor.parts.length) return { ...cursor, value: whole ? array : item, positioned: undefined }
      return { ...cursor, value: undefined, positioned: positioned[i] }
    })
    expand(next, item instanceof Map ? item : new Map(), rows)
  }
}

function positionOf (cursor: Cursor, array: Value[]): Cursor['positioned'] {
  const part = cursor.parts[cursor.next] as string
  if (!isArrayIndex(part)) return undefined
  const item = array[Number(part)]
  return item === undefined ? undefined : { item, next: cursor.next + 1 }
}
