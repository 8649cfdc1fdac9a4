/** The intervals of values at one path that a filter admits: what a scan of an index on that path must read. */
import { conjuncts, type Filter, type PathFilter } from './tree.ts'
import { ARRAYS, between, intersect, point, union } from '../keys/intervals.ts'
import type { Interval } from '../keys/key-bytes.ts'
import { regexPrefix } from './regex.ts'
import { BsonUndefined, UNDEFINED, type Regex, type Value } from '../values/values.ts'

/**
 * Ascending intervals that do not overlap. Every document that matches the filter has a key in one of them. If `exact`,
 * the converse holds too: every document with a key in one of them satisfies the filter's conditions on the path.
 */
export interface Bounds { intervals: Interval[], exact: boolean }

/**
 * The bounds that the filter's top-level conjunction puts on a path; null: none. In a `multikey` index, two keys of a
 * document may each satisfy one of two conditions, so only the narrowest condition bounds the scan.
 */
export function intervalsFor (filter: Filter, path: string, multikey = false): Bounds | null {
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

/** A rough estimate of how much a scan finds: single values before ranges, few before many. */
function width ({ intervals }: Bounds): number {
  return intervals.reduce((sum, { lower, upper }) => sum + (lower === upper ? 1 : 1000), 0)
}

function boundsOf (filter: Filter, path: string): Bounds | null {
  if (filter.op === 'or') {
    // An `$or` with other paths is planned branch by branch (query/planner.ts).
    const branches = filter.filters.map(branch =>
      'path' in branch && branch.path === path ? boundsOfLeaf(branch) : null)
    return branches.includes(null) ? null : unionOf(branches as Bounds[])
  }
  if (!('path' in filter)) return null
  if (filter.op === 'elemMatchDoc' && path.startsWith(`${filter.path}.`)) {
    return inexact(intervalsFor(filter.filter, path.slice(filter.path.length + 1), true))
  }
  return filter.path === path ? boundsOfLeaf(filter) : null
}

/** The bounds of a condition on its own path. */
export function boundsOfLeaf (filter: PathFilter): Bounds | null {
  switch (filter.op) {
    case 'within': return keysOf(filter.intervals)
    case 'regex': return regexBounds(filter.source)
    // One item satisfies all conditions, that is, one key does. Items of an array within the array have no keys.
    case 'elemMatchValue': return filter.path === '' ? null : inexact(intervalsFor(filter.filter, ''))
    case 'exists': case 'type': case 'size': case 'elemMatchDoc': return null
  }
}

const inexact = (bounds: Bounds | null): Bounds | null => bounds && { ...bounds, exact: false }

const unionOf = (bounds: Bounds[]): Bounds => ({
  intervals: union(bounds.flatMap(({ intervals }) => intervals)),
  exact: bounds.every(({ exact }) => exact)
})

/** The keys of the values in these intervals; null if a range contains arrays, which have no keys of their own. */
function keysOf (intervals: readonly Interval[]): Bounds | null {
  let exact = true
  const keys: Interval[] = []
  for (const interval of intervals) {
    const { lower, upper } = interval
    keys.push(interval)
    if (lower !== upper) {
      if (intersect([interval], [ARRAYS]).length > 0) return null
    } else if (Array.isArray(lower)) {
      // An array has the key of its first item, or its own key within another array. An empty one is indexed as
      // undefined.
      keys.push(point(lower.length === 0 ? UNDEFINED : lower[0] as Value))
      exact = false
    } else if (lower === null || lower instanceof BsonUndefined) {
      // Missing fields are indexed as null. Empty arrays are indexed as undefined, and null does not match them.
      exact = false
    }
  }
  return { intervals: exact ? keys : union(keys), exact }
}

function regexBounds (source: Regex): Bounds {
  const prefix = regexPrefix(source)
  const strings = between(prefix?.prefix ?? '', true, afterPrefix(prefix?.prefix ?? '') ?? new Map(), false)
  // An expression also matches the same expression, stored as a value.
  return unionOf([{ intervals: [strings], exact: prefix?.exact ?? false }, { intervals: [point(source)], exact: true }])
}

/** The least string above all strings that begin with `prefix`. */
function afterPrefix (prefix: string): string | undefined {
  const points = [...prefix]
  while (points.length > 0) {
    const last = (points.pop() as string).codePointAt(0) as number
    // Surrogates are not characters: after U+D7FF comes U+E000.
    if (last < 0x10ffff) return points.join('') + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1)
  }
  return undefined
}
