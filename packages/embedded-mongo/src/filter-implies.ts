/** Whether a partial index holds every document a query can match. */
import { RANK, compareValues } from './compare.ts'
import { mongoError } from './errors.ts'
import type { Comparison, Filter, PathFilter } from './filter.ts'
import { TYPE, isNumeric, toNumber, type Value } from './values.ts'

const SUPPORTED = new Set<Filter['op']>(['always', 'eq', 'lt', 'lte', 'gt', 'gte', 'in', 'exists', 'type'])

/** Checks that a filter may define a partial index. */
export function assertPartialFilter (filter: Filter) {
  if (filter.op === 'and' || filter.op === 'or') {
    for (const part of filter.filters) assertPartialFilter(part)
  } else if (!SUPPORTED.has(filter.op)) {
    throw mongoError('CannotCreateIndex', `Expression not supported in partial index: ${filter.op}`)
  }
}

/** Whether every document that matches `filter` surely matches `partial`; false when that cannot be told. */
export function implies (filter: Filter, partial: Filter): boolean {
  if (partial.op === 'always' || filter.op === 'never') return true
  if (partial.op === 'and') return partial.filters.every(part => implies(filter, part))
  if (filter.op === 'or') return filter.filters.every(part => implies(part, partial))
  if (filter.op === 'and') {
    if (filter.filters.some(part => implies(part, partial))) return true
    return partial.op === 'or' && partial.filters.some(part => implies(filter, part))
  }
  if (partial.op === 'or') return partial.filters.some(part => implies(filter, part)) || inEach(filter, partial)
  if (filter.op === 'not') return isNotNull(filter.filter, partial)
  return 'path' in filter && 'path' in partial && filter.path === partial.path && impliesLeaf(filter, partial)
}

/** Whether each value of an `$in` implies the partial filter by itself. */
function inEach (filter: Filter, partial: Filter): boolean {
  return filter.op === 'in' && filter.regexes.length === 0 && filter.values.every(value => implies(equality(filter, value), partial))
}

function equality ({ path, parts }: PathFilter, value: Value): Comparison {
  return { op: 'eq', path, parts, value, rank: compareValues(value, null) === 0 ? RANK.null : -1 }
}

/** `{ $ne: null }` and `{ $exists: false }` negated: the field is there. */
function isNotNull (negated: Filter, partial: Filter): boolean {
  if (partial.op !== 'exists' || !('path' in negated) || negated.path !== partial.path) return false
  return (negated.op === 'eq' && negated.value === null) || (negated.op === 'in' && negated.hasNull)
}

function impliesLeaf (filter: PathFilter, partial: PathFilter): boolean {
  switch (partial.op) {
    case 'exists': return impliesExists(filter)
    case 'eq': case 'lt': case 'lte': case 'gt': case 'gte':
      if (filter.op === 'in') return filter.regexes.length === 0 && filter.values.every(value => impliesComparison('eq', value, partial))
      return isComparison(filter) && impliesComparison(filter.op, filter.value, partial)
    case 'in':
      if (filter.op === 'eq') return partial.values.some(value => compareValues(value, filter.value) === 0)
      return filter.op === 'in' && filter.regexes.length === 0 &&
        filter.values.every(value => partial.values.some(other => compareValues(value, other) === 0))
    case 'type': return filter.op === 'type' && [...filter.types].every(type => partial.types.has(type))
    case 'regex': case 'size': case 'mod': case 'elemMatchDoc': case 'elemMatchValue': return false
  }
}

function isComparison (filter: PathFilter): filter is Comparison {
  return filter.op === 'eq' || filter.op === 'lt' || filter.op === 'lte' || filter.op === 'gt' || filter.op === 'gte'
}

/** Which conditions a missing field cannot meet. */
function impliesExists (filter: PathFilter): boolean {
  if (filter.op === 'in') return !filter.hasNull
  // A comparison with null, MinKey or MaxKey can be met by a missing field.
  return !isComparison(filter) || (filter.value !== null && isOrdinary(filter.value))
}

/** Neither MinKey nor MaxKey. */
function isOrdinary (value: Value): boolean {
  return typeof value !== 'object' || value === null || value instanceof Map || Array.isArray(value) || value.bsonType < TYPE.maxKey
}

/** Whether being `op` the first value puts a value of the same type within the partial filter's comparison. */
function impliesComparison (op: Comparison['op'], value: Value, partial: Comparison): boolean {
  // Types other than the bracket's own, arrays and NaN have their own rules: only equal conditions are taken for granted.
  const order = compareValues(value, partial.value)
  if (op === partial.op && order === 0) return true
  if (!comparable(value, partial.value)) return false
  switch (partial.op) {
    case 'eq': return op === 'eq' && order === 0
    case 'gt': return (op === 'gt' && order >= 0) || ((op === 'eq' || op === 'gte') && order > 0)
    case 'gte': return (op === 'gt' || op === 'eq' || op === 'gte') && order >= 0
    case 'lt': return (op === 'lt' && order <= 0) || ((op === 'eq' || op === 'lte') && order < 0)
    case 'lte': return (op === 'lt' || op === 'eq' || op === 'lte') && order <= 0
  }
}

function comparable (a: Value, b: Value): boolean {
  if (isNumeric(a)) return isNumeric(b) && !Number.isNaN(toNumber(a)) && !Number.isNaN(toNumber(b))
  if (typeof a !== typeof b || a === null || b === null || Array.isArray(a) || Array.isArray(b)) return false
  if (typeof a !== 'object') return true
  return a.constructor === (b as object).constructor && isOrdinary(a)
}
