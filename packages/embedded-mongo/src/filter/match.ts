/** Decides whether a document matches a filter. */
import type { Filter, PathFilter, RegexMatch } from './tree.ts'
import { includes } from '../keys/intervals.ts'
import { isArrayIndex } from '../values/paths.ts'
import { Regex, Sym, typeOf, type Doc, type Value } from '../values/values.ts'

export function matches (filter: Filter, doc: Doc): boolean {
  if ('path' in filter) return matchesFrom(filter, doc, 0)
  return combined(filter, part => matches(part, doc))
}

/** Does a value satisfy a filter whose path is empty? */
function matchesItem (filter: Filter, value: Value): boolean {
  if ('path' in filter) return matchesValue(filter, value)
  return combined(filter, part => matchesItem(part, value))
}

function combined (filter: Exclude<Filter, PathFilter>, holds: (part: Filter) => boolean): boolean {
  switch (filter.op) {
    case 'and': return filter.filters.every(holds)
    case 'or': return filter.filters.some(holds)
    case 'not': return !holds(filter.filter)
    case 'always': return true
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
 * At the end of the path, an array matches if one of its items does, or the array as a whole. On the way, the path
 * continues in the array's documents, and a numeric part also selects an item. Other items contribute nothing, not even
 * a missing value.
 */
function matchesArray (filter: PathFilter, array: Value[], next: number): boolean {
  const { parts, op } = filter
  if (next === parts.length) {
    const isOfItems = op !== 'size' && op !== 'elemMatchDoc' && op !== 'elemMatchValue'
    return (isOfItems && array.some(item => matchesValue(filter, item))) || matchesValue(filter, array)
  }
  if (array.some(item => item instanceof Map && matchesFrom(filter, item, next))) return true
  const part = parts[next] as string
  const named = isArrayIndex(part) ? array[Number(part)] : undefined
  if (named === undefined) return false
  if (next + 1 === parts.length) return matchesValue(filter, named)
  if (Array.isArray(named)) return matchesArray(filter, named, next + 1)
  return named instanceof Map && matchesFrom(filter, named, next + 1)
}

function matchesValue (filter: PathFilter, value: Value | undefined): boolean {
  switch (filter.op) {
    case 'within': return includes(filter.intervals, value ?? null)
    case 'exists': return value !== undefined
    case 'regex': return matchesRegex(filter, value)
    case 'type': return value !== undefined && filter.types.has(typeOf(value))
    case 'size': return Array.isArray(value) && value.length === filter.size
    case 'elemMatchDoc': return Array.isArray(value) && value.some(item => matchesItemDoc(filter.filter, item))
    case 'elemMatchValue': return Array.isArray(value) && value.some(item => matchesItem(filter.filter, item))
  }
}

/** `$elemMatch` treats an array within the array as a document whose field names are the positions. */
function matchesItemDoc (filter: Filter, item: Value): boolean {
  if (item instanceof Map) return matches(filter, item)
  return Array.isArray(item) && matches(filter, new Map(item.map((value, i) => [String(i), value])))
}

function matchesRegex ({ source, compiled }: RegexMatch, value: Value | undefined): boolean {
  if (typeof value === 'string') return compiled.test(value)
  if (value instanceof Sym) return compiled.test(value.value)
  return value instanceof Regex && value.pattern === source.pattern && value.flags === source.flags
}
