/** The tree of conditions that a query document is parsed into. */
import { compareValues } from '../keys/compare.ts'
import { point, union } from '../keys/intervals.ts'
import type { Interval } from '../keys/key-bytes.ts'
import { pathParts } from '../values/paths.ts'
import type { Regex, Value } from '../values/values.ts'

interface Leaf { path: string, parts: readonly string[] }

/**
 * The value lies in one of the intervals; a missing value counts as null. `equal` is set if the filter is equality with
 * one value.
 */
export interface Within extends Leaf { op: 'within', intervals: readonly Interval[], equal?: Value | undefined }
export interface RegexMatch extends Leaf { op: 'regex', source: Regex, compiled: RegExp }

/** A condition on the values at a path. In `$elemMatch` and `$pull`, an empty path stands for the item itself. */
export type PathFilter =
  | Within | RegexMatch
  | Leaf & { op: 'exists' }
  | Leaf & { op: 'type', types: ReadonlySet<number> }
  | Leaf & { op: 'size', size: number }
  /** One item satisfies the whole filter: as a document, or as a value. */
  | Leaf & { op: 'elemMatchDoc' | 'elemMatchValue', filter: Filter }

export type Filter =
  | PathFilter
  | { op: 'and' | 'or', filters: Filter[] }
  | { op: 'not', filter: Filter }
  | { op: 'always' }

export const leaf = (path: string): Leaf => ({ path, parts: pathParts(path) })

/** The conjunction of filters. It is flat: no conjunction is a child of another. */
export function all (filters: readonly Filter[]): Filter {
  const flat = filters.flatMap(conjuncts)
  if (flat.length === 0) return { op: 'always' }
  return flat.length === 1 ? flat[0] as Filter : { op: 'and', filters: flat }
}

export const either = (filters: Filter[]): Filter =>
  filters.length === 1 ? filters[0] as Filter : { op: 'or', filters }

/** The parts of a filter that must all hold. */
export function conjuncts (filter: Filter): readonly Filter[] {
  if (filter.op === 'always') return []
  return filter.op === 'and' ? filter.filters : [filter]
}

/** Equality with one of the values. Null also matches missing fields. */
export function oneOf (path: string, values: readonly Value[]): Within {
  const areEqual = values.every(value => compareValues(value, values[0]) === 0)
  return { op: 'within', ...leaf(path), intervals: union(values.map(point)), equal: areEqual ? values[0] : undefined }
}
