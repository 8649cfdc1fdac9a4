/**
 * Chooses the index of a query: fields with an equality first, then the sort order, then a range, as far as the order
 * of an index's fields allows. The plan does not decide what matches: unless the bounds are exactly the filter, every
 * document is checked again.
 */
import { badValue, mongoError } from '../values/errors.ts'
import { conjuncts, coveredBy, implies, intervalsFor } from '../filter/index.ts'
import type { Filter } from '../filter/index.ts'
import { boundableFields, EVERYTHING, rangeBounds } from '../keys/key-bytes.ts'
import type { IndexField, Interval } from '../keys/key-bytes.ts'
import { compareValues } from '../keys/compare.ts'
import { encode } from '../bson/index.ts'
import type { KeyRange, Leg } from './scan.ts'
import { compareKeys } from '../store/layer.ts'
import { fromBytes } from '../store/keys.ts'
import type { Collection } from '../store/collection.ts'
import { isMultikey } from '../store/index-definition.ts'
import type { Index } from '../store/index-definition.ts'
import { isDoc } from '../values/values.ts'
import type { Doc, Value } from '../values/values.ts'

export type BoundedLeg = Leg & {
  /** Of each field of the index, for `explain`. */
  readonly bounds: readonly (readonly Interval[])[]
  /** The index's paths through arrays when the bounds were made. */
  readonly arrays: readonly string[]
}

export type Plan = {
  readonly collection: Collection
  readonly legs: readonly BoundedLeg[]
  /** Do the bounds alone decide that a document matches? */
  readonly covered: boolean
  /** Do the records come in the requested order? */
  readonly sorted: boolean
}

export type PlanRequest = {
  readonly filter: Filter
  readonly sort: readonly IndexField[]
  readonly hint: Value | undefined
  /** The newest commit that the reader sees: an index that became ready later may lack entries. */
  readonly seq: number
}

const SCORE_OF_AN_EQUALITY = 20

/** If there are more combinations of values than this, one wider range is scanned instead. */
const RANGES_MAX = 10_000

export function choosePlan (collection: Collection, request: PlanRequest): Plan {
  const { hint } = request
  if (hint !== undefined) return hintedPlan(collection, request, hint)
  const byId = idPlan(collection, request)
  if (byId !== undefined) return byId
  let best: Plan | undefined
  let bestScore = -1
  for (const index of collection.indexes) {
    if (!isUsable(index, request)) continue
    const candidate = planFor(collection, index, request)
    const score = scoreOf(candidate, request)
    if (score > bestScore) {
      best = candidate
      bestScore = score
    }
  }
  if (bestScore < SCORE_OF_AN_EQUALITY) {
    const union = unionPlan(collection, request)
    if (union !== undefined) return union
  }
  return best ?? collectionPlan(collection, request)
}

/**
 * The records of all branches of an `$or`, if every branch has an index. Other `$or`s of the filter are not planned but
 * checked on the documents: to plan each within the branches of the others would take a time that grows with the
 * factorial of their number.
 */
function unionPlan (collection: Collection, request: PlanRequest): Plan | undefined {
  const parts = conjuncts(request.filter)
  const others = parts.filter(part => part.op !== 'or')
  for (const or of parts) {
    if (or.op !== 'or') continue
    const plans = or.filters.map(branch => {
      const filter: Filter = { op: 'and', filters: [...conjuncts(branch), ...others] }
      return choosePlan(collection, { ...request, filter, sort: [] })
    })
    const legs = plans.flatMap(plan => plan.legs)
    if (legs.every(({ index }) => index !== undefined)) {
      // A branch's plan has all conditions but those of other `$or`s.
      const covered = parts.length === others.length + 1 && plans.every(plan => plan.covered)
      return { collection, legs, covered, sorted: request.sort.length === 0 }
    }
  }
  return undefined
}

/** For a filter on one `_id`: no other plan is better. */
function idPlan (collection: Collection, request: PlanRequest): Plan | undefined {
  const bounds = intervalsFor(request.filter, '_id')
  if (bounds === null || !isOnePoint(bounds.intervals)) return undefined
  return planFor(collection, collection.indexes[0]!, request)
}

function isUsable (index: Index, request: PlanRequest): boolean {
  return index.ready && index.readySeq <= request.seq &&
    (index.partial === undefined || implies(request.filter, index.partial))
}

/** Negative if reading the whole collection is better. */
function scoreOf (plan: Plan, request: PlanRequest): number {
  const { index, bounds, ranges } = plan.legs[0]!
  if (ranges.length === 0) return 1_000
  let equal = 0
  while (equal < bounds.length && bounds[equal]!.every(isPoint)) equal++
  const next = bounds[equal]
  const ranged = next !== undefined && !isEverything(next)
  if (index!.unique && equal === index!.fields.length && !isMultikey(index!)) return 900
  const ordered = request.sort.length > 0 && plan.sorted
  if (equal === 0 && !ranged && !ordered) return -1
  // With an index in the requested order, the first document is found without reading all of them.
  return equal * SCORE_OF_AN_EQUALITY + (ordered ? 15 : 0) + (ranged ? 10 : 0) + (plan.covered ? 2 : 0) +
    (index!.partial === undefined ? 0 : 1)
}

function hintedPlan (collection: Collection, request: PlanRequest, hint: Value): Plan {
  if (isDoc(hint) && hint.size === 1 && hint.has('$natural')) {
    return collectionPlan(collection, request, Number(hint.get('$natural')) < 0)
  }
  const key = isDoc(hint) ? encode(hint) : undefined
  const isHinted = ({ name, spec }: Index) =>
    key === undefined ? name === hint : encode(spec.get('key') as Doc).equals(key)
  const index = collection.indexes.find(index => index.ready && isHinted(index))
  const failed = 'error processing query: planner returned error :: caused by ::'
  if (index === undefined) throw badValue(`${failed} hint provided does not correspond to an existing index`)
  if (isUsable(index, request)) return planFor(collection, index, request)
  throw mongoError('NoQueryExecutionPlans',
    `${failed} No query solutions: the hinted partial index does not contain all documents the filter asks for`)
}

function collectionPlan (collection: Collection, request: PlanRequest, reverse = false): Plan {
  const ranges = [{ lower: collection.prefix, upper: collection.end }]
  const leg = { index: undefined, ranges, reverse, bounds: [], arrays: [] }
  return { collection, legs: [leg], covered: request.filter.op === 'always', sorted: request.sort.length === 0 }
}

function planFor (collection: Collection, index: Index, request: PlanRequest): Plan {
  const { fields, arrays } = index
  const boundable = boundableFields(fields, arrays)
  const bounds: (readonly Interval[])[] = []
  const exactPaths = new Set<string>()
  for (let i = 0; i < fields.length; i++) {
    const { path } = fields[i]!
    const found = boundable[i] === true ? intervalsFor(request.filter, path, arrays.includes(path)) : null
    bounds.push(found === null ? [EVERYTHING] : found.intervals)
    if (found !== null && found.exact) exactPaths.add(path)
  }
  const { ranges, used, truncated } = rangesOf(index, bounds)
  const exact = !truncated && !index.truncated
  const usedPaths = fields.slice(0, used).map(field => field.path).filter(path => exactPaths.has(path))
  const direction = index.truncated || isMultikey(index) ? 0 : orderOf(fields, bounds, request.sort)
  return {
    collection,
    legs: [{ index, ranges, reverse: direction < 0, bounds, arrays }],
    covered: exact && coveredBy(request.filter, usedPaths, index.partial),
    sorted: request.sort.length === 0 || direction !== 0
  }
}

type KeyRanges = { ranges: KeyRange[], used: number, truncated: boolean }

/**
 * The key ranges of the bounds: one for every combination of single values in the first fields, and of the intervals of
 * the field after those. `used` is the number of fields in the ranges.
 */
function rangesOf (index: Index, bounds: readonly (readonly Interval[])[]): KeyRanges {
  let prefixes: Value[][] = [[]]
  let used = 0
  while (used < bounds.length) {
    const points = bounds[used]!
    if (!points.every(isPoint) || prefixes.length * points.length > RANGES_MAX) break
    prefixes = prefixes.flatMap(prefix => points.map(point => [...prefix, point.lower]))
    used++
  }
  const whole = used === index.fields.length
  const isOpen = whole || isEverything(bounds[used]!)
  const intervals: readonly (Interval | undefined)[] = isOpen ? [undefined] : bounds[used]!
  if (intervals[0] !== undefined) used++
  const ranges: KeyRange[] = []
  let truncated = false
  for (const prefix of prefixes) {
    for (const interval of intervals) {
      const range = rangeBounds(index.fields, prefix, interval)
      truncated ||= range.truncated
      const lower = index.prefix + fromBytes(range.lower)
      // Nothing follows a whole unique key.
      const upper = whole && index.unique && !range.truncated ? lower + '\0' : index.prefix + fromBytes(range.upper)
      if (lower < upper) ranges.push({ lower, upper })
    }
  }
  return { ranges: disjoint(ranges), used, truncated }
}

/** Sorts the ranges and joins overlapping ones. */
function disjoint (ranges: KeyRange[]): KeyRange[] {
  if (ranges.length < 2) return ranges
  ranges.sort((a, b) => compareKeys(a.lower, b.lower))
  const result: KeyRange[] = []
  for (const range of ranges) {
    const last = result[result.length - 1]
    if (last === undefined || range.lower >= last.upper) result.push(range)
    else if (range.upper > last.upper) result[result.length - 1] = { lower: last.lower, upper: range.upper }
  }
  return result
}

/** 1: reading the index forwards gives the order. -1: backwards. 0: neither. */
function orderOf (
  fields: readonly IndexField[], bounds: readonly (readonly Interval[])[], sort: readonly IndexField[]
): 1 | -1 | 0 {
  if (sort.length === 0) return 1
  let direction: 1 | -1 | 0 = 0
  let at = 0
  for (const wanted of sort) {
    // A field with a single value is in order in both directions.
    const fixed = fields.findIndex((field, i) => field.path === wanted.path && isOnePoint(bounds[i]!))
    while (at < fields.length && fields[at]!.path !== wanted.path && isOnePoint(bounds[at]!)) at++
    if (at < fields.length && fields[at]!.path === wanted.path) {
      if (!isOnePoint(bounds[at]!)) {
        const needed = fields[at]!.direction === wanted.direction ? 1 : -1
        if (direction !== 0 && direction !== needed) return 0
        direction = needed
      }
      at++
    } else if (fixed < 0) {
      return 0
    }
  }
  return direction === 0 ? 1 : direction
}

function isPoint (interval: Interval): boolean {
  return interval.lowerInclusive && interval.upperInclusive &&
    (interval.lower === interval.upper || compareValues(interval.lower, interval.upper) === 0)
}

function isOnePoint (intervals: readonly Interval[]): boolean {
  return intervals.length === 1 && isPoint(intervals[0]!)
}

function isEverything (intervals: readonly Interval[]): boolean {
  return intervals.length === 1 && intervals[0] === EVERYTHING
}
