/** A query as a checked tree, and the exact question whether a document matches it. */
import { RANK, compareValues, compareWithinRank, rankOf } from './compare.ts'
import { isArrayIndex } from './paths.ts'
import { Regex, Sym, isNumeric, toNumber, typeOf, type Doc, type Value } from './values.ts'

export { parseFilter } from './filter-parse.ts'
export { conjuncts, coveredBy, intervalsFor, type Bounds } from './filter-bounds.ts'
export { assertPartialFilter, implies } from './filter-implies.ts'

interface Leaf { path: string, parts: readonly string[] }

/** A comparison; `rank` is the rank of the operand's type, which only values of the same rank are compared with. */
export interface Comparison extends Leaf { op: 'eq' | 'lt' | 'lte' | 'gt' | 'gte', value: Value, rank: number }
/** One of several values (sorted, each once) or expressions. */
export interface In extends Leaf { op: 'in', values: Value[], regexes: RegexMatch[], hasNull: boolean }
export interface RegexMatch extends Leaf { op: 'regex', source: Regex, compiled: RegExp }

/** A condition on the values at a path. An empty path is the value itself (within `$elemMatch` and `$pull`). */
export type PathFilter =
  | Comparison | In | RegexMatch
  | Leaf & { op: 'exists' }
  | Leaf & { op: 'type', types: ReadonlySet<number> }
  | Leaf & { op: 'size', size: number }
  | Leaf & { op: 'mod', divisor: number, remainder: number }
  | Leaf & { op: 'elemMatchDoc', filter: Filter }
  | Leaf & { op: 'elemMatchValue', filters: Filter[] }

export type Filter =
  | PathFilter
  | { op: 'and' | 'or' | 'nor', filters: Filter[] }
  | { op: 'not', filter: Filter }
  | { op: 'always' }
  | { op: 'never' }

/** Whether a document matches a filter. */
export function matches (filter: Filter, doc: Doc): boolean {
  if ('path' in filter) return matchesFrom(filter, doc, 0)
  switch (filter.op) {
    case 'and':
      for (const part of filter.filters) if (!matches(part, doc)) return false
      return true
    case 'or':
      for (const part of filter.filters) if (matches(part, doc)) return true
      return false
    case 'nor':
      for (const part of filter.filters) if (matches(part, doc)) return false
      return true
    case 'not': return !matches(filter.filter, doc)
    case 'always': return true
    case 'never': return false
  }
}

/** Follows a path from its `next` part to its end, or into the first array on the way. */
function matchesFrom (filter: PathFilter, doc: Doc, next: number): boolean {
  const { parts } = filter
  let current = doc
  for (let i = next; ; i++) {
    const value = current.get(parts[i] as string)
    if (Array.isArray(value)) return matchesArray(filter, value, i + 1)
    if (i + 1 === parts.length) return matchesValue(filter, value)
    if (!(value instanceof Map)) return matchesValue(filter, undefined)
    current = value
  }
}

/**
 * An array at the end of the path is matched by one of its items or as a whole. On the way, its documents are entered, and a numeric part
 * also names an item by position; items that are neither contribute nothing, not even a missing value.
 */
function matchesArray (filter: PathFilter, array: Value[], next: number): boolean {
  const { parts } = filter
  if (next === parts.length) {
    if (filter.op !== 'size' && filter.op !== 'elemMatchDoc' && filter.op !== 'elemMatchValue') {
      for (const item of array) if (matchesValue(filter, item)) return true
    }
    return matchesValue(filter, array)
  }
  const part = parts[next] as string
  const position = isArrayIndex(part) ? Number(part) : -1
  for (let i = 0; i < array.length; i++) {
    const item = array[i] as Value
    if (item instanceof Map && matchesFrom(filter, item, next)) return true
    if (i !== position) continue
    if (next + 1 === parts.length) {
      if (matchesValue(filter, item)) return true
    } else if (item instanceof Map) {
      if (matchesFrom(filter, item, next + 1)) return true
    } else if (Array.isArray(item) && matchesArray(filter, item, next + 1)) {
      return true
    }
  }
  return false
}

/** Whether one value, taken by itself, satisfies a filter whose path is empty or already followed. */
export function matchesItem (filter: Filter, value: Value): boolean {
  if ('path' in filter) return matchesValue(filter, value)
  switch (filter.op) {
    case 'and': return filter.filters.every(part => matchesItem(part, value))
    case 'or': return filter.filters.some(part => matchesItem(part, value))
    case 'nor': return !filter.filters.some(part => matchesItem(part, value))
    case 'not': return !matchesItem(filter.filter, value)
    case 'always': return true
    case 'never': return false
  }
}

function matchesValue (filter: PathFilter, value: Value | undefined): boolean {
  switch (filter.op) {
    case 'eq': case 'lt': case 'lte': case 'gt': case 'gte': return compares(filter, value)
    case 'in': return isIn(filter, value)
    case 'exists': return value !== undefined
    case 'regex': return matchesRegex(filter, value)
    case 'type': return value !== undefined && filter.types.has(typeOf(value))
    case 'size': return Array.isArray(value) && value.length === filter.size
    case 'mod': return hasRemainder(filter.divisor, filter.remainder, value)
    case 'elemMatchDoc': return Array.isArray(value) && value.some(item => matchesItemDoc(filter.filter, item))
    case 'elemMatchValue': return Array.isArray(value) && value.some(item => filter.filters.every(part => matchesItem(part, item)))
  }
}

/** `$elemMatch` takes an array within the array for a document whose fields are its positions. */
function matchesItemDoc (filter: Filter, item: Value): boolean {
  if (item instanceof Map) return matches(filter, item)
  return Array.isArray(item) && matches(filter, new Map(item.map((value, i) => [String(i), value])))
}

function compares (filter: Comparison, value: Value | undefined): boolean {
  const { op, value: operand, rank } = filter
  if (value === operand && op === 'eq') return true
  if (value === undefined) return comparesAcross(filter, RANK.undefined)
  const valueRank = rankOf(value)
  if (valueRank !== rank) return comparesAcross(filter, valueRank)
  // NaN equals itself and has no order to other numbers, although it sorts below them.
  if (rank === RANK.number && isNaNValue(value) !== isNaNValue(operand)) return false
  const order = compareWithinRank(value, operand, rank)
  switch (op) {
    case 'eq': return order === 0
    case 'lt': return order < 0
    case 'lte': return order <= 0
    case 'gt': return order > 0
    case 'gte': return order >= 0
  }
}

/** A value of another type matches only null against undefined or missing, and anything against MinKey and MaxKey. */
function comparesAcross ({ op, rank }: Comparison, valueRank: number): boolean {
  if (rank === RANK.null && valueRank === RANK.undefined) return op === 'eq' || op === 'lte' || op === 'gte'
  if (rank === RANK.maxKey) return op === 'lt' || op === 'lte'
  if (rank === RANK.minKey) return op === 'gt' || op === 'gte'
  return false
}

function isNaNValue (value: Value): boolean {
  return typeof value === 'number' ? value !== value : isNumeric(value) && Number.isNaN(toNumber(value)) // eslint-disable-line no-self-compare
}

function isIn (filter: In, value: Value | undefined): boolean {
  if (value === undefined) return filter.hasNull
  const { values } = filter
  let low = 0
  let high = values.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const order = compareValues(values[middle], value)
    if (order === 0) return true
    if (order < 0) low = middle + 1
    else high = middle - 1
  }
  if (filter.hasNull && rankOf(value) === RANK.undefined) return true
  return filter.regexes.some(regex => matchesRegex(regex, value))
}

function matchesRegex ({ source, compiled }: RegexMatch, value: Value | undefined): boolean {
  if (typeof value === 'string') return compiled.test(value)
  if (value instanceof Sym) return compiled.test(value.value)
  return value instanceof Regex && value.pattern === source.pattern && value.flags === source.flags
}

function hasRemainder (divisor: number, remainder: number, value: Value | undefined): boolean {
  if (!isNumeric(value)) return false
  if (typeof value === 'bigint') return value % BigInt(divisor) === BigInt(remainder)
  const number = toNumber(value)
  return Number.isFinite(number) && Math.trunc(number) % divisor === remainder
}
