/** What a filter says of the values at one path, as intervals in the order of values: what an index over that path has to be scanned for. */
import { RANK, compareValues } from './compare.ts'
import { type Interval, pointInterval } from './key-bytes.ts'
import type { Comparison, Filter, PathFilter } from './filter.ts'
import { implies } from './filter-implies.ts'
import { isArrayIndex, pathParts } from './paths.ts'
import { regexPrefix } from './regex.ts'
import { Binary, DateTime, ObjectId, Timestamp, UNDEFINED, isNumeric, toNumber, type Regex, type Value } from './values.ts'

/**
 * Intervals in ascending order that do not overlap. Every document that matches the filter has a key in one of them. When `exact`, every
 * document with a key in one of them also satisfies all that the filter says of the path.
 */
export interface Bounds { intervals: Interval[], exact: boolean }

/** The parts of a filter that must all hold. */
export function conjuncts (filter: Filter): readonly Filter[] {
  if (filter.op === 'always') return []
  return filter.op === 'and' ? filter.filters : [filter]
}

/**
 * Whether a filter says nothing but of these paths and what every document of the index meets by its partial filter. With exact
 * bounds on each path, documents need not be checked again.
 */
export function coveredBy (filter: Filter, paths: readonly string[], partial?: Filter): boolean {
  return conjuncts(filter).every(part => ('path' in part && paths.includes(part.path)) || (partial !== undefined && implies(partial, part)))
}

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
  return intervals.reduce((sum, interval) => sum + (isPoint(interval) ? 1 : 1000), 0)
}

const isPoint = ({ lower, upper }: Interval) => compareValues(lower, upper) === 0

function boundsOf (filter: Filter, path: string): Bounds | null {
  if (!('path' in filter)) return null
  if (filter.op === 'elemMatchDoc' && path.startsWith(`${filter.path}.`)) {
    const inner = intervalsFor(filter.filter, path.slice(filter.path.length + 1), true)
    return inner === null ? null : { ...inner, exact: false }
  }
  return filter.path === path ? boundsOfLeaf(filter) : null
}

function boundsOfLeaf (filter: PathFilter): Bounds | null {
  switch (filter.op) {
    case 'eq': return pointBounds(filter.value)
    case 'lt': case 'lte': case 'gt': case 'gte': return rangeOf(filter)
    case 'in': return union([...filter.values.map(pointBounds), ...filter.regexes.map(({ source }) => regexBounds(source))])
    case 'regex': return regexBounds(filter.source)
    case 'elemMatchValue': {
      // All conditions are met by one item, that is, by one key.
      const found = filter.filters.map(part => 'path' in part ? boundsOfLeaf(part) : null).filter(bounds => bounds !== null)
      return found.length === 0 ? null : { intervals: found.map(bounds => bounds.intervals).reduce(intersect), exact: false }
    }
    case 'exists': case 'type': case 'size': case 'mod': case 'elemMatchDoc': return null
  }
}

function pointBounds (value: Value): Bounds {
  // Missing fields are indexed as null; empty arrays, which null does not match, as undefined.
  if (value === null) return { intervals: [pointInterval(UNDEFINED), pointInterval(null)], exact: false }
  if (!Array.isArray(value)) return { intervals: [pointInterval(value)], exact: true }
  // An array is found by its first item; an array within an array by itself.
  return union([{ intervals: [pointInterval(value)], exact: false }, { intervals: [pointInterval(value[0] ?? UNDEFINED)], exact: false }])
}

const between = (lower: Value, lowerInclusive: boolean, upper: Value, upperInclusive: boolean): Interval => ({ lower, lowerInclusive, upper, upperInclusive })

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
  if (rank === RANK.null) return op === 'lte' || op === 'gte' ? pointBounds(null) : { intervals: [], exact: true }
  if (rank === RANK.number && Number.isNaN(toNumber(value))) {
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
  const itself: Bounds = { intervals: [pointInterval(source)], exact: true }
  const prefix = regexPrefix(source)
  const strings = prefix === undefined ? between('', true, new Map(), false) : between(prefix.prefix, true, afterPrefix(prefix.prefix) ?? new Map(), false)
  return union([{ intervals: [strings], exact: prefix?.exact ?? false }, itself])
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

function union (bounds: Bounds[]): Bounds {
  const sorted = bounds.flatMap(({ intervals }) => intervals).sort((a, b) => compareLower(a, b))
  const intervals: Interval[] = []
  for (const next of sorted) {
    const last = intervals.at(-1)
    if (last !== undefined && touches(last, next)) intervals[intervals.length - 1] = compareUpper(last, next) < 0 ? { ...last, upper: next.upper, upperInclusive: next.upperInclusive } : last
    else intervals.push(next)
  }
  return { intervals, exact: bounds.every(({ exact }) => exact) }
}

function touches (left: Interval, right: Interval): boolean {
  const order = compareValues(left.upper, right.lower)
  return order > 0 || (order === 0 && (left.upperInclusive || right.lowerInclusive))
}

function compareLower (a: Interval, b: Interval): number {
  return compareValues(a.lower, b.lower) || Number(b.lowerInclusive) - Number(a.lowerInclusive)
}

function compareUpper (a: Interval, b: Interval): number {
  return compareValues(a.upper, b.upper) || Number(a.upperInclusive) - Number(b.upperInclusive)
}

function isEmpty ({ lower, lowerInclusive, upper, upperInclusive }: Interval): boolean {
  const order = compareValues(lower, upper)
  return order > 0 || (order === 0 && !(lowerInclusive && upperInclusive))
}

/** The values that lie in one of `a` and one of `b`. */
function intersect (a: Interval[], b: Interval[]): Interval[] {
  const result: Interval[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const left = a[i] as Interval
    const right = b[j] as Interval
    const from = compareLower(left, right) < 0 ? right : left
    const leftEndsFirst = compareUpper(left, right) < 0
    const to = leftEndsFirst ? left : right
    const both = between(from.lower, from.lowerInclusive, to.upper, to.upperInclusive)
    if (!isEmpty(both)) result.push(both)
    if (leftEndsFirst) i++
    else j++
  }
  return result
}
