/** `$lookup` in its equality form: the documents of another collection whose field equals this one's. */
import { RANK, compareValues, rankOf } from './compare.ts'
import { failedToParse, notImplemented } from './errors.ts'
import type { Filter, In } from './filter.ts'
import { isArrayIndex, pathParts } from './paths.ts'
import { checkFieldPath } from './sort.ts'
import { withValue } from './unwind.ts'
import { typeName, type Doc, type Value } from './values.ts'

export interface Lookup { from: string, localParts: readonly string[], foreignField: string, asParts: readonly string[] }

const FIELDS = ['from', 'localField', 'foreignField', 'as']

export function parseLookup (operand: Value): Lookup {
  if (!(operand instanceof Map)) throw failedToParse(`the $lookup stage specification must be an object, but found ${typeName(operand)}`)
  if (operand.has('pipeline') || operand.has('let')) throw notImplemented('$lookup with a pipeline is not supported')
  for (const [name, value] of operand) {
    if (!FIELDS.includes(name)) throw failedToParse(`unknown argument to $lookup: ${name}`)
    if (typeof value !== 'string') throw failedToParse(`$lookup argument '${name}' must be a string, is type ${typeName(value)}`)
  }
  const [from, localField, foreignField, as] = FIELDS.map(name => operand.get(name) as string | undefined)
  if (as === undefined) throw failedToParse('must specify \'as\' field for a $lookup')
  if (from === undefined) throw failedToParse('must specify \'pipeline\' when \'from\' is empty')
  if (localField === undefined || foreignField === undefined) throw failedToParse('$lookup requires both or neither of \'localField\' and \'foreignField\' to be specified')
  for (const path of [localField, foreignField, as]) checkFieldPath(path)
  return { from, localParts: pathParts(localField), foreignField, asParts: pathParts(as) }
}

export function * lookupDocs ({ from, localParts, foreignField, asParts }: Lookup, docs: Iterable<Doc>, lookup: (from: string, filter: Filter) => Iterable<Doc>): Iterable<Doc> {
  for (const doc of docs) {
    const values: Value[] = []
    collect(doc, localParts, 0, values)
    yield withValue(doc, asParts, [...lookup(from, oneOf(foreignField, values))])
  }
}

/** All values at a path, with the items of arrays in place of the arrays. */
function collect (value: Value | undefined, parts: readonly string[], next: number, values: Value[]) {
  if (Array.isArray(value)) {
    if (next === parts.length) values.push(...value)
    else collectFromItems(value, parts, next, values)
  } else if (next === parts.length) {
    if (value !== undefined) values.push(value)
  } else if (value instanceof Map) {
    collect(value.get(parts[next] as string), parts, next + 1, values)
  }
}

function collectFromItems (items: Value[], parts: readonly string[], next: number, values: Value[]) {
  const part = parts[next] as string
  if (isArrayIndex(part)) collect(items[Number(part)], parts, next + 1, values)
  for (const item of items) if (item instanceof Map) collect(item, parts, next, values)
}

/** Equality with one of the values; no value counts as null. */
function oneOf (path: string, values: Value[]): In {
  const sorted = (values.length === 0 ? [null] : values).sort(compareValues)
  const distinct = sorted.filter((value, i) => i === 0 || compareValues(sorted[i - 1], value) !== 0)
  return { op: 'in', path, parts: pathParts(path), values: distinct, regexes: [], hasNull: distinct.some(value => rankOf(value) === RANK.null) }
}
