/** The update operators, each as a function of the value at its path. */
import { add } from '../values/arithmetic.ts'
import { compareValues, identical } from '../keys/compare.ts'
import { badValue, mongoError, typeMismatch } from '../values/errors.ts'
import { isOperatorDoc, parseFilter, parsePredicate } from '../filter/parse.ts'
import { matches } from '../filter/index.ts'
import { pathParts, valueAt } from '../values/paths.ts'
import { printDoc, printField, printId, printValue } from '../values/print.ts'
import {
  DateTime, Int32, Regex, Timestamp, isNumeric, toInteger, toNumber, typeName, type Doc, type Value
} from '../values/values.ts'

/** `doc` is the document before the update. */
export interface UpdateContext { doc: Doc, insert: boolean, nowMs: number }

/**
 * Returns the value that replaces `current`, undefined to remove it. Values are never changed in place: a modifier that
 * changes nothing returns its argument.
 */
export type Modifier = (current: Value | undefined, context: UpdateContext) => Value | undefined

const fieldOf = (path: string) => pathParts(path).at(-1) as string

const replaced = (current: Value | undefined, value: Value) =>
  current !== undefined && identical(current, value) ? current : value

const set = (value: Value): Modifier => current => replaced(current, value)

export const unset: Modifier = () => undefined

const extreme = (sign: 1 | -1) => (value: Value): Modifier => current =>
  current === undefined || compareValues(value, current) * sign > 0 ? value : current

/** All operators except `$rename`, which has two paths. */
export const MODIFIERS = new Map<string, (operand: Value, path: string) => Modifier>([
  ['$set', set],
  ['$setOnInsert', value => (current, { insert }) => insert ? replaced(current, value) : current],
  ['$unset', () => unset],
  ['$max', extreme(1)],
  ['$min', extreme(-1)],
  ['$inc', inc],
  ['$currentDate', currentDate],
  ['$push', push],
  ['$addToSet', addToSet],
  ['$pull', pull]
])

function inc (operand: Value, path: string): Modifier {
  if (!isNumeric(operand)) {
    throw typeMismatch(`Cannot increment with non-numeric argument: {${printField(path, operand)}}`)
  }
  return (current, { doc }) => {
    if (current === undefined) return operand
    if (!isNumeric(current)) {
      throw typeMismatch(`Cannot apply $inc to a value of non-numeric type. ${printId(doc)} has the field ` +
        `'${fieldOf(path)}' of non-numeric type ${typeName(current)}`)
    }
    const sum = add(current, operand)
    if (sum === undefined) {
      const value = `(${current instanceof Int32 ? 'NumberInt' : 'NumberLong'})${printValue(current)}`
      throw badValue(`Failed to apply $inc operations to current value (${value}) for document ${printId(doc)}`)
    }
    return replaced(current, sum)
  }
}

function currentDate (operand: Value): Modifier {
  const isTyped = operand instanceof Map && operand.size === 1
  const type = isTyped ? operand.get('$type') : typeof operand === 'boolean' ? 'date' : undefined
  if (type === 'date') return (_current, { nowMs }) => DateTime.fromMs(nowMs)
  if (type === 'timestamp') return (_current, { nowMs }) => new Timestamp(Math.floor(nowMs / 1000), 1)
  throw badValue(`${typeName(operand)} is not valid type for $currentDate. ` +
    "Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).")
}

interface Push { values: Value[], position?: number, slice?: number, sort?: (a: Value, b: Value) => number }

function push (operand: Value, path: string): Modifier {
  const { values, position, slice, sort } = parsePush(operand)
  return (current, { doc }) => {
    if (current !== undefined && !Array.isArray(current)) {
      throw badValue(`The field '${path}' must be an array but is of type ${typeName(current)} ` +
        `in document ${printId(doc)}`)
    }
    let items = [...current ?? []]
    items.splice(position ?? items.length, 0, ...values)
    if (sort !== undefined) items.sort(sort)
    if (slice !== undefined) items = slice >= 0 ? items.slice(0, slice) : items.slice(slice)
    // An array that `$push` has rebuilt counts as changed, even if it is equal.
    const isUntouched = values.length === 0 && sort === undefined && items.length === current?.length
    return isUntouched ? current : items
  }
}

function parsePush (operand: Value): Push {
  if (!(operand instanceof Map) || !operand.has('$each')) return { values: [operand] }
  const parsed: Push = { values: [] }
  for (const [name, value] of operand) {
    switch (name) {
      case '$each':
        if (!Array.isArray(value)) {
          throw badValue(`The argument to $each in $push must be an array but it was of type: ${typeName(value)}`)
        }
        parsed.values = value
        break
      case '$slice':
        parsed.slice = integerClause(value, 'The value for $slice must be an integer value but was given type: ')
        break
      case '$position':
        parsed.position = integerClause(value, 'The value for $position must be an integer value, not of type: ')
        break
      case '$sort': parsed.sort = parseArraySort(value); break
      default: throw badValue(`Unrecognized clause in $push: ${name}`)
    }
  }
  return parsed
}

function integerClause (value: Value, message: string): number {
  const integer = toInteger(value)
  if (integer === undefined) throw badValue(message + typeName(value))
  return integer
}

/** The comparison for `$sort`: of the items themselves, or of fields of the items. */
function parseArraySort (value: Value): (a: Value, b: Value) => number {
  if (!(value instanceof Map)) {
    if (!isNumeric(value)) {
      throw badValue(
        'The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields')
    }
    const direction = directionOf(value)
    return (a, b) => compareValues(a, b) * direction
  }
  if (value.size === 0) throw badValue('The $sort pattern is empty when it should be a set of fields.')
  const fields = [...value].map(([path, direction]) => {
    const parts = pathParts(path)
    if (parts.includes('')) throw badValue(`The $sort field is a dotted field but has an empty part: ${path}`)
    return { parts, direction: directionOf(direction) }
  })
  return (a, b) => {
    for (const { parts, direction } of fields) {
      const order = compareValues(valueAt(a, parts), valueAt(b, parts))
      if (order !== 0) return order * direction
    }
    return 0
  }
}

function directionOf (value: Value): 1 | -1 {
  const direction = toNumber(value)
  if (direction !== 1 && direction !== -1) throw badValue('The $sort element value must be either 1 or -1')
  return direction
}

function addToSet (operand: Value, path: string): Modifier {
  let values = [operand]
  if (operand instanceof Map && operand.keys().next().value === '$each') {
    const each = operand.get('$each')
    if (!Array.isArray(each)) {
      throw typeMismatch(`The argument to $each in $addToSet must be an array but it was of type ${typeName(each)}`)
    }
    if (operand.size > 1) throw badValue(`Found unexpected fields after $each in $addToSet: ${printDoc(operand)}`)
    values = each
  }
  return current => {
    if (current !== undefined && !Array.isArray(current)) {
      throw badValue(`Cannot apply $addToSet to non-array field. Field named '${fieldOf(path)}' ` +
        `has non-array type ${typeName(current)}`)
    }
    const items = [...current ?? []]
    for (const value of values) if (!items.some(item => compareValues(item, value) === 0)) items.push(value)
    return current !== undefined && items.length === current.length ? current : items
  }
}

function pull (operand: Value): Modifier {
  const isPulled = pullCondition(operand)
  return current => {
    if (current === undefined) return undefined
    if (!Array.isArray(current)) throw badValue('Cannot apply $pull to a non-array value')
    const items = current.filter(item => !isPulled(item))
    return items.length === current.length ? current : items
  }
}

/** The items that `$pull` removes: values that match its operators, documents that match, or equal values. */
function pullCondition (operand: Value): (item: Value) => boolean {
  const isLogical = operand instanceof Map && ['$and', '$or', '$nor'].includes(operand.keys().next().value as string)
  if (!isLogical && (operand instanceof Regex || isOperatorDoc(operand))) {
    const filter = parsePredicate('', operand)
    return item => matches(filter, new Map([['', item]]))
  }
  if (!(operand instanceof Map)) return item => compareValues(operand, item) === 0
  const filter = parseFilter(operand)
  return item => item instanceof Map && matches(filter, item)
}

/** Sets the new path of a renamed field. The old path is unset by another modifier. */
export function rename (from: string, to: string): Modifier {
  return (current, { doc }) => {
    checkRenamePath('source', from, doc)
    const value = valueAt(doc, pathParts(from))
    if (value === undefined) return current
    checkRenamePath('destination', to, doc)
    return current !== undefined && compareValues(current, value) === 0 ? current : value
  }
}

/** Neither path of `$rename` may lead through an array, and the source only through documents. */
function checkRenamePath (side: 'source' | 'destination', path: string, doc: Doc) {
  let value: Value | undefined = doc
  let name = ''
  for (const part of pathParts(path)) {
    if (Array.isArray(value)) {
      throw badValue(`The ${side} field cannot be an array element, '${path}' in doc with ` +
        `${printId(doc).slice(1, -1)} has an array field called '${name}'`)
    }
    if (!(value instanceof Map)) {
      if (value === undefined || side === 'destination') return
      throw mongoError('PathNotViable',
        `cannot use the part (${name} of ${path}) to traverse the element ({${printField(name, value)}})`)
    }
    value = value.get(part)
    name = part
  }
}
