/** A query as a checked tree. */
import { RANK, compareValues, rankOf } from './compare.ts'
import { pathParts } from './paths.ts'
import type { Regex, Value } from './values.ts'

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
  /** One item meets all of the filter: as a document, or by itself. */
  | Leaf & { op: 'elemMatchDoc' | 'elemMatchValue', filter: Filter }

export type Filter =
  | PathFilter
  | { op: 'and' | 'or', filters: Filter[] }
  | { op: 'not', filter: Filter }
  | { op: 'always' }
  | { op: 'never' }

export const leaf = (path: string): Leaf => ({ path, parts: pathParts(path) })

/** All of the filters, kept flat, so that the conditions of a conjunction are its children. */
export function all (filters: readonly Filter[]): Filter {
  const flat = filters.flatMap(conjuncts)
  if (flat.length === 0) return { op: 'always' }
  return flat.length === 1 ? flat[0] as Filter : { op: 'and', filters: flat }
}

/** The parts of a filter that must all hold. */
export function conjuncts (filter: Filter): readonly Filter[] {
  if (filter.op === 'always') return []
  return filter.op === 'and' ? filter.filters : [filter]
}

/** Equality with one of the values, or a match of one of the expressions. */
export function oneOf (path: string, values: readonly Value[], regexes: RegexMatch[] = []): In {
  const sorted = [...values].sort(compareValues)
  const distinct = sorted.filter((value, i) => i === 0 || compareValues(sorted[i - 1], value) !== 0)
  return { op: 'in', ...leaf(path), values: distinct, regexes, hasNull: distinct.some(value => rankOf(value) === RANK.null) }
}
