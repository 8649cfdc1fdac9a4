/** A query as a checked tree. */
import { compareValues } from '../keys/compare.ts'
import { point, union } from '../keys/intervals.ts'
import type { Interval } from '../keys/key-bytes.ts'
import { pathParts } from '../values/paths.ts'
import { UNDEFINED, type Regex, type Value } from '../values/values.ts'

interface Leaf { path: string, parts: readonly string[] }

/** The value, a missing one being undefined, lies in one of the intervals; `equal` is what they stand for if it is one value. */
export interface Within extends Leaf { op: 'within', intervals: readonly Interval[], equal?: Value | undefined }
export interface RegexMatch extends Leaf { op: 'regex', source: Regex, compiled: RegExp }

/** A condition on the values at a path. An empty path is the value itself (within `$elemMatch` and `$pull`). */
export type PathFilter =
  | Within | RegexMatch
  | Leaf & { op: 'exists' }
  | Leaf & { op: 'type', types: ReadonlySet<number> }
  | Leaf & { op: 'size', size: number }
  /** One item meets all of the filter: as a document, or by itself. */
  | Leaf & { op: 'elemMatchDoc' | 'elemMatchValue', filter: Filter }

export type Filter =
  | PathFilter
  | { op: 'and' | 'or', filters: Filter[] }
  | { op: 'not', filter: Filter }
  | { op: 'always' }

export const leaf = (path: string): Leaf => ({ path, parts: pathParts(path) })

/** All of the filters, kept flat, so that the conditions of a conjunction are its children. */
export function all (filters: readonly Filter[]): Filter {
  const flat = filters.flatMap(conjuncts)
  if (flat.length === 0) return { op: 'always' }
  return flat.length === 1 ? flat[0] as Filter : { op: 'and', filters: flat }
}

/** Any of the filters. */
export const either = (filters: Filter[]): Filter => filters.length === 1 ? filters[0] as Filter : { op: 'or', filters }

/** The parts of a filter that must all hold. */
export function conjuncts (filter: Filter): readonly Filter[] {
  if (filter.op === 'always') return []
  return filter.op === 'and' ? filter.filters : [filter]
}

/** Equality with one of the values; null also finds undefined and missing. */
export function oneOf (path: string, values: readonly Value[]): Within {
  const points = values.flatMap(value => value === null ? [point(UNDEFINED), point(null)] : point(value))
  return { op: 'within', ...leaf(path), intervals: union(points), equal: values.every(value => compareValues(value, values[0]) === 0) ? values[0] : undefined }
}
