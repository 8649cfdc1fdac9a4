/** What each update operator does to the one value at its path. Values are never changed in place; a modifier that changes nothing returns its argument. */
import { add, multiply, type NumericValue } from './arithmetic.ts'
import { compareValues, identical } from './compare.ts'
import { badValue, typeMismatch } from './errors.ts'
import { matches, type Filter } from './filter.ts'
import { pathParts } from './paths.ts'
import { printField } from './print.ts'
import { DateTime, Int32, Timestamp, int32, isNumeric, typeName, type Doc, type Value } from './values.ts'

export type Modifier =
  | { op: 'set' | 'setOnInsert' | 'max' | 'min', value: Value }
  | { op: 'inc' | 'mul', value: NumericValue }
  | { op: 'unset' }
  | { op: 'currentDate', type: 'date' | 'timestamp' }
  | Push
  | { op: 'addToSet', values: Value[] }
  | { op: 'pull', condition: PullCondition }
  | { op: 'pullAll', values: Value[] }
  | { op: 'pop', first: boolean }
  /** The new place of a renamed field; its old place is an `unset`. */
  | { op: 'rename', from: string }

export interface Push { op: 'push', values: Value[], position?: number, slice?: number, sort?: ArraySort }
/** The order of an array: the items themselves, or fields of theirs. */
export type ArraySort = 1 | -1 | { parts: readonly string[], direction: 1 | -1 }[]
/** Which items `$pull` takes out: equal ones, documents that match, or values that match as the field `''`. */
export type PullCondition = { kind: 'value', value: Value } | { kind: 'doc' | 'item', filter: Filter }

/** What modifiers need to know of the whole update. */
export interface UpdateContext {
  doc: Doc
  insert: boolean
  nowMs: number
  /** The values of the fields that `$rename` moves, by their old path; undefined when there is none. */
  renamed: ReadonlyMap<string, Value | undefined>
}

/** Whether a modifier puts a value where there was none. */
export function creates (modifier: Modifier, context: UpdateContext): boolean {
  switch (modifier.op) {
    case 'unset': case 'pull': case 'pullAll': case 'pop': return false
    case 'setOnInsert': return context.insert
    case 'rename': return context.renamed.get(modifier.from) !== undefined
    case 'set': case 'max': case 'min': case 'inc': case 'mul': case 'currentDate': case 'push': case 'addToSet': return true
  }
}

/** The value that takes the place of `current`; undefined leaves the field out. */
export function modify (modifier: Modifier, current: Value | undefined, path: string, context: UpdateContext): Value | undefined {
  switch (modifier.op) {
    case 'set': return replaced(current, modifier.value)
    case 'setOnInsert': return context.insert ? replaced(current, modifier.value) : current
    case 'unset': return undefined
    case 'max': return current === undefined || compareValues(modifier.value, current) > 0 ? modifier.value : current
    case 'min': return current === undefined || compareValues(modifier.value, current) < 0 ? modifier.value : current
    case 'inc': case 'mul': return calculated(modifier.op, modifier.value, current, path, context)
    case 'currentDate': return modifier.type === 'date' ? DateTime.fromMs(context.nowMs) : new Timestamp(Math.floor(context.nowMs / 1000), 1)
    case 'push': return pushed(modifier, current, path, context)
    case 'addToSet': return addedToSet(modifier.values, current, path)
    case 'pull': return pulled(item => isPulled(modifier.condition, item), current)
    case 'pullAll': return pulled(item => modifier.values.some(value => compareValues(value, item) === 0), current)
    case 'pop': return popped(modifier.first, current, path)
    case 'rename': {
      const value = context.renamed.get(modifier.from)
      return value === undefined || (current !== undefined && compareValues(current, value) === 0) ? current : value
    }
  }
}

function replaced (current: Value | undefined, value: Value): Value {
  return current !== undefined && identical(current, value) ? current : value
}

/** A document's `_id` as error messages show it. */
export function printId (doc: Doc): string {
  const id = doc.get('_id')
  return id === undefined ? '{}' : `{${printField('_id', id)}}`
}

function fieldOf (path: string): string {
  return pathParts(path).at(-1) as string
}

function calculated (op: 'inc' | 'mul', operand: NumericValue, current: Value | undefined, path: string, { doc }: UpdateContext): Value {
  if (current === undefined) return op === 'inc' ? operand : multiply(operand, int32(0)) as NumericValue
  if (!isNumeric(current)) {
    throw typeMismatch(`Cannot apply $${op} to a value of non-numeric type. ${printId(doc)} has the field '${fieldOf(path)}' of non-numeric type ${typeName(current)}`)
  }
  const result = op === 'inc' ? add(current, operand) : multiply(current, operand)
  if (result === undefined) {
    const type = typeof current === 'bigint' ? 'NumberLong' : 'NumberInt'
    throw badValue(`Failed to apply $${op} operations to current value ((${type})${current instanceof Int32 ? current.value : String(current)}) for document ${printId(doc)}`)
  }
  return replaced(current, result)
}

function pushed (push: Push, current: Value | undefined, path: string, { doc }: UpdateContext): Value {
  if (current !== undefined && !Array.isArray(current)) {
    throw badValue(`The field '${path}' must be an array but is of type ${typeName(current)} in document ${printId(doc)}`)
  }
  let items = [...current ?? []]
  const { values, position = items.length, slice, sort } = push
  items.splice(position < 0 ? Math.max(0, items.length + position) : position, 0, ...values)
  if (sort !== undefined) items.sort((a, b) => compareItems(sort, a, b))
  if (slice !== undefined) items = slice >= 0 ? items.slice(0, slice) : items.slice(Math.max(0, items.length + slice))
  // Only an array left as it was counts as unchanged, not one that comes out the same.
  return current !== undefined && values.length === 0 && sort === undefined && items.length === current.length ? current : items
}

function compareItems (sort: ArraySort, a: Value, b: Value): number {
  if (!Array.isArray(sort)) return compareValues(a, b) * sort
  for (const { parts, direction } of sort) {
    const order = compareValues(fieldAt(a, parts), fieldAt(b, parts))
    if (order !== 0) return order * direction
  }
  return 0
}

function fieldAt (item: Value, parts: readonly string[]): Value | undefined {
  let value: Value | undefined = item
  for (const part of parts) {
    if (value instanceof Map) value = value.get(part)
    else return undefined
  }
  return value
}

function addedToSet (values: readonly Value[], current: Value | undefined, path: string): Value {
  if (current !== undefined && !Array.isArray(current)) {
    throw badValue(`Cannot apply $addToSet to non-array field. Field named '${fieldOf(path)}' has non-array type ${typeName(current)}`)
  }
  const items = [...current ?? []]
  for (const value of values) {
    if (!items.some(item => compareValues(item, value) === 0)) items.push(value)
  }
  return current !== undefined && items.length === current.length ? current : items
}

function pulled (isOut: (item: Value) => boolean, current: Value | undefined): Value | undefined {
  if (current === undefined) return undefined
  if (!Array.isArray(current)) throw badValue('Cannot apply $pull to a non-array value')
  const items = current.filter(item => !isOut(item))
  return items.length === current.length ? current : items
}

function isPulled (condition: PullCondition, item: Value): boolean {
  if (condition.kind === 'value') return compareValues(condition.value, item) === 0
  if (condition.kind === 'item') return matches(condition.filter, new Map([['', item]]))
  return item instanceof Map && matches(condition.filter, item)
}

function popped (first: boolean, current: Value | undefined, path: string): Value | undefined {
  if (current === undefined) return undefined
  if (!Array.isArray(current)) throw typeMismatch(`Path '${path}' contains an element of non-array type '${typeName(current)}'`)
  if (current.length === 0) return current
  return first ? current.slice(1) : current.slice(0, -1)
}
