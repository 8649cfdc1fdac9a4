/** What a filter says of the values at one path, as intervals in the order of values: what an index over that path has to be scanned for. */
import { RANK } from './compare.ts'
import { conjuncts, type Comparison, type Filter, type PathFilter } from './filter-tree.ts'
import { between, intersect, isEmpty, point, union } from './intervals.ts'
import type { Interval } from './key-bytes.ts'
import { isArrayIndex, pathParts } from './paths.ts'
import { regexPrefix } from './regex.ts'
import { Binary, DateTime, ObjectId, Timestamp, UNDEFINED, isNumeric, toNumber, type Regex, type Value } from './values.ts'

/**
 * Intervals in ascending order that do not overlap. Every document that matches the filter has a key in one of them. When `exact`, every
 * document with a key in one of them also satisfies all that the filter says of the path.
 */
export interface Bounds { intervals: Interval[], exact: boolean }

/**
 * The bounds that a filter's top-level conjunction puts on a path; null when it puts none. In a `multikey` index two conditions may be met by
 * different keys of a document, so only the narrowest of them bounds the scan.
 */
export function intervalsFor (filter: Filter, path: string, multikey = false): Bounds | null {
  // By position in an array, keys and matching do not agree in all cases.
  if (pathParts(path).some(isArrayIndex)) return null
  let result: Bounds | null = null
  let exact = true
  for (const part of conjuncts(filter)) {
    const bounds = boundsOf(part, path)
    if (bounds === null) {
      if (mentions(part, path)) exact = false
    } else if (result === null) {
      result = bounds
    } else if (multikey) {
      exact = false
      if (width(bounds) < width(result)) result = bounds
    } else {
      result = { intervals: intersect(result.intervals, bounds.intervals), exact: result.exact && bounds.exact }
    }
  }
  return result === null || exact ? result : { intervals: result.intervals, exact: false }
}

function mentions (filter: Filter, path: string): boolean {
  if ('path' in filter) return filter.path === path
  if (filter.op === 'not') return mentions(filter.filter, path)
  return 'filters' in filter && filter.filters.some(part => mentions(part, path))
}

/** A rough order of how much a scan finds: points before ranges, fewer before more. */
function width ({ intervals }: Bounds): number {
  return intervals.reduce((sum, { lower, upper }) => sum + (lower === upper ? 1 : 1000), 0)
}

function boundsOf (filter: Filter, path: string): Bounds | null {
  if (!('path' in filter)) return null
  if (filter.op === 'elemMatchDoc' && path.startsWith(`${filter.path}.`)) {
    return inexact(intervalsFor(filter.filter, path.slice(filter.path.length + 1), true))
  }
  return filter.path === path ? boundsOfLeaf(filter) : null
}

/** The bounds of a condition on the path it is on. */
export function boundsOfLeaf (filter: PathFilter): Bounds | null {
  switch (filter.op) {
    case 'eq': return pointBounds(filter.value)
    case 'lt': case 'lte': case 'gt': case 'gte': return rangeOf(filter)
    case 'in': return unionOf([...filter.values.map(pointBounds), ...filter.regexes.map(({ source }) => regexBounds(source))])
    case 'regex': return regexBounds(filter.source)
    // All conditions are met by one item, that is, by one key; an array within the array has no keys for its items.
    case 'elemMatchValue': return filter.path === '' ? null : inexact(intervalsFor(filter.filter, ''))
    case 'exists': case 'type': case 'size': case 'elemMatchDoc': return null
  }
}

const inexact = (bounds: Bounds | null): Bounds | null => bounds && { ...bounds, exact: false }

const unionOf = (bounds: Bounds[]): Bounds => ({ intervals: union(bounds.flatMap(({ intervals }) => intervals)), exact: bounds.every(({ exact }) => exact) })

function pointBounds (value: Value): Bounds {
  // Missing fields are indexed as null; empty arrays, which null does not match, as undefined.
  if (value === null) return { intervals: [point(UNDEFINED), point(null)], exact: false }
  if (!Array.isArray(value)) return { intervals: [point(value)], exact: true }
  // An array is found by its first item; an array within an array by itself.
  return { intervals: union([point(value), point(value.length === 0 ? UNDEFINED : value[0] as Value)]), exact: false }
}

/** All values of an operand's type, as the interval that a comparison cuts. */
function bracketOf (value: Value): Interval | null {
  if (isNumeric(value)) return between(-Infinity, true, Infinity, true)
  if (typeof value === 'string') return between('', true, new Map(), false)
  if (typeof value === 'boolean') return between(false, true, true, true)
  if (value instanceof Map) return between(new Map(), true, [], false)
  if (value instanceof DateTime) return between(new DateTime(-0x80000000, 0), true, new DateTime(0x7fffffff, -1), true)
  if (value instanceof ObjectId) return between(new ObjectId(0, 0, 0), true, new ObjectId(-1, -1, -1), true)
  if (value instanceof Timestamp) return between(new Timestamp(0, 0), true, new Timestamp(-1, -1), true)
  if (value instanceof Binary) return between(new Binary(new Uint8Array(0)), true, new ObjectId(0, 0, 0), false)
  return null
}

function rangeOf ({ op, value, rank }: Comparison): Bounds | null {
  // Null and NaN have no order to others of their type.
  if (rank === RANK.null || (rank === RANK.number && Number.isNaN(toNumber(value)))) {
    return op === 'lte' || op === 'gte' ? pointBounds(value) : { intervals: [], exact: true }
  }
  const bracket = bracketOf(value)
  if (bracket === null) return null
  const interval = op === 'lt' || op === 'lte'
    ? between(bracket.lower, bracket.lowerInclusive, value, op === 'lte')
    : between(value, op === 'gte', bracket.upper, bracket.upperInclusive)
  return { intervals: isEmpty(interval) ? [] : [interval], exact: true }
}

function regexBounds (source: Regex): Bounds {
  const prefix = regexPrefix(source)
  const strings = between(prefix?.prefix ?? '', true, afterPrefix(prefix?.prefix ?? '') ?? new Map(), false)
  // An expression also matches itself.
  return unionOf([{ intervals: [strings], exact: prefix?.exact ?? false }, { intervals: [point(source)], exact: true }])
}

/** The least string above all that begin with `prefix`. */
function afterPrefix (prefix: string): string | undefined {
  const points = [...prefix]
  while (points.length > 0) {
    const last = (points.pop() as string).codePointAt(0) as number
    // Surrogates are no characters: the one after U+D7FF is U+E000.
    if (last < 0x10ffff) return points.join('') + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1)
  }
  return undefined
}
