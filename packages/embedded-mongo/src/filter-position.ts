/** Which item of an array a matching document was matched by: what the positional `$` of an update stands for. */
import { compareStrings } from './compare.ts'
import { matches, matchesItem, type Filter, type PathFilter } from './filter.ts'
import type { Doc, Value } from './values.ts'

/** The order in which MongoDB evaluates the parts of a conjunction, before that of their paths. */
const EVALUATION: Filter['op'][] = ['and', 'or', 'elemMatchDoc', 'elemMatchValue', 'size', 'eq', 'lte', 'lt', 'gt', 'gte', 'regex', 'mod', 'exists', 'in', 'type']

/**
 * The index of the item in the outermost array that a matching document's path led through. Where several conditions lead through arrays the
 * last of them counts, in MongoDB's order; negations have no item.
 */
export function positionOf (filter: Filter, doc: Doc): number | undefined {
  if ('path' in filter) return positionAt(filter, doc)
  if (filter.op === 'and') {
    const parts = [...filter.filters].sort((a, b) => EVALUATION.indexOf(a.op) - EVALUATION.indexOf(b.op) || compareStrings(pathOf(a), pathOf(b)))
    return parts.reduce<number | undefined>((found, part) => positionOf(part, doc) ?? found, undefined)
  }
  if (filter.op !== 'or') return undefined
  const matching = filter.filters.find(part => matches(part, doc))
  return matching === undefined ? undefined : positionOf(matching, doc)
}

const pathOf = (filter: Filter) => 'path' in filter ? filter.path : ''

function positionAt (filter: PathFilter, doc: Doc): number | undefined {
  const { parts } = filter
  let value: Value | undefined = doc
  let next = 0
  while (next < parts.length && value instanceof Map) value = value.get(parts[next++] as string)
  if (!Array.isArray(value)) return undefined
  const index = value.findIndex(item => matchesAsOnly(filter, item, next))
  return index === -1 ? undefined : index
}

/** Whether the rest of the path, from an item of the array on, meets the condition. */
function matchesAsOnly (filter: PathFilter, item: Value, next: number): boolean {
  const rest = filter.parts.slice(next)
  if (rest.length > 0) {
    const inner = { ...filter, path: rest.join('.'), parts: rest }
    return item instanceof Map && matches(inner, item)
  }
  switch (filter.op) {
    case 'elemMatchDoc': return item instanceof Map && matches(filter.filter, item)
    case 'elemMatchValue': return filter.filters.every(part => matchesItem(part, item))
    case 'size': return false
    case 'eq': case 'lt': case 'lte': case 'gt': case 'gte': case 'in': case 'regex': case 'exists': case 'type': case 'mod': return matchesItem(filter, item)
  }
}
