/** Partial indexes: whether one contains every document that a query can match. */
import { isDeepStrictEqual } from 'node:util'
import { mongoError } from '../values/errors.ts'
import { boundsOfLeaf, intervalsFor } from './bounds.ts'
import { conjuncts, oneOf, type Filter, type PathFilter } from './tree.ts'
import { between, contains } from '../keys/intervals.ts'
import type { Interval } from '../keys/key-bytes.ts'
import { MAX_KEY } from '../values/values.ts'

const SUPPORTED: readonly Filter['op'][] = ['always', 'and', 'or', 'within', 'exists', 'type']

/** Checks that a filter may define a partial index. */
export function assertPartialFilter (filter: Filter) {
  if (!SUPPORTED.includes(filter.op)) {
    throw mongoError('CannotCreateIndex', `Expression not supported in partial index: ${filter.op}`)
  }
  if ('filters' in filter) filter.filters.forEach(assertPartialFilter)
}

/**
 * Is every condition of the filter on one of these paths, or implied by the index's partial filter? With exact bounds
 * on each path, documents then need no check.
 */
export function coveredBy (filter: Filter, paths: readonly string[], partial?: Filter): boolean {
  return conjuncts(filter).every(part =>
    ('path' in part && paths.includes(part.path)) || (partial !== undefined && implies(partial, part)))
}

/** Does every document that matches `filter` certainly match `partial`? False if that is not certain. */
export function implies (filter: Filter, partial: Filter): boolean {
  const parts = conjuncts(filter)
  if (partial.op === 'always' || partial.op === 'and') return conjuncts(partial).every(part => implies(filter, part))
  if (parts.some(part => part.op === 'or' && part.filters.every(branch => implies(branch, partial)))) return true
  if (partial.op === 'or') return partial.filters.some(part => implies(filter, part))
  if (!('path' in partial)) return false
  const bounds = intervalsFor(filter, partial.path, true)
  if (bounds !== null && contains(intervalsWithin(partial), bounds.intervals)) return true
  return parts.some(part =>
    isDeepStrictEqual(part, partial) || (partial.op === 'exists' && needsField(part, partial.path)))
}

/** Intervals such that every document with a key in one of them satisfies the condition. */
function intervalsWithin (filter: PathFilter): Interval[] {
  if (filter.op === 'exists') return [between(null, false, MAX_KEY, true)]
  const bounds = boundsOfLeaf(filter)
  return bounds?.exact === true ? bounds.intervals : []
}

/** Can only a document with the field satisfy this condition, which has no bounds? */
function needsField (filter: Filter, path: string): boolean {
  // Not for longer paths: an array item that is not a document has no null there, and no field either.
  if (filter.op === 'not') return !path.includes('.') && isDeepStrictEqual(filter.filter, oneOf(path, [null]))
  return 'path' in filter && filter.path === path &&
    ['exists', 'type', 'size', 'elemMatchDoc', 'elemMatchValue'].includes(filter.op)
}
