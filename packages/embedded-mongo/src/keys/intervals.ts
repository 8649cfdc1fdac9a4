/** Operations on intervals of values, and on ascending lists of intervals without overlaps. */
import { compareValues } from './compare.ts'
import { EVERYTHING, type Interval } from './key-bytes.ts'
import { rankOf } from './encode.ts'
import {
  Binary, Code, DateTime, MAX_KEY, MIN_KEY, ObjectId, Regex, Timestamp, isNumeric, toNumber, type Value
} from '../values/values.ts'

/** The interval of one value. */
export const point = (value: Value): Interval => between(value, true, value, true)

export const between = (
  lower: Value, lowerInclusive: boolean, upper: Value, upperInclusive: boolean
): Interval => ({ lower, lowerInclusive, upper, upperInclusive })

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

/** The values that lie in any of the intervals. These may be in any order and overlap. */
export function union (intervals: Interval[]): Interval[] {
  const result: Interval[] = []
  for (const next of [...intervals].sort(compareLower)) {
    const last = result.at(-1)
    if (last === undefined || !touches(last, next)) result.push(next)
    else if (compareUpper(last, next) < 0) {
      result[result.length - 1] = { ...last, upper: next.upper, upperInclusive: next.upperInclusive }
    }
  }
  return result
}

/** Does the value lie in one of the intervals? */
export function includes (intervals: readonly Interval[], value: Value): boolean {
  let low = 0
  let high = intervals.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const { lower, lowerInclusive, upper, upperInclusive } = intervals[middle] as Interval
    const fromLower = compareValues(value, lower)
    const fromUpper = upper === lower ? fromLower : compareValues(value, upper)
    if (fromLower < 0 || (fromLower === 0 && !lowerInclusive)) high = middle - 1
    else if (fromUpper > 0 || (fromUpper === 0 && !upperInclusive)) low = middle + 1
    else return true
  }
  return false
}

/** The least value of each type, ascending. The values of a type lie between its least value and the next one. */
const LEAST: readonly Value[] = [
  '', new Map(), [], new Binary(new Uint8Array(0)), new ObjectId(0, 0, 0), false, new DateTime(-0x80000000, 0),
  new Timestamp(0, 0), new Regex(''), new Code(''), new Code('', new Map()), MAX_KEY
]

/** All arrays. */
export const ARRAYS = between([], true, new Binary(new Uint8Array(0)), false)

/**
 * The values that `$lt` and the like compare with an operand: those of its type, for MinKey and MaxKey all values. NaN
 * is compared only with itself.
 */
function bracketOf (value: Value): Interval {
  if (value === MIN_KEY || value === MAX_KEY) return EVERYTHING
  if (isNumeric(value)) return Number.isNaN(toNumber(value)) ? point(value) : between(-Infinity, true, Infinity, true)
  const at = LEAST.findIndex(least => rankOf(least) === rankOf(value))
  return between(LEAST[at] as Value, true, LEAST[at + 1] as Value, false)
}

/** The values that are less (`lt`) or greater (`gt`) than a value, or also equal to it (`lte`, `gte`). */
export function comparable (op: 'lt' | 'lte' | 'gt' | 'gte', value: Value): Interval[] {
  // No value is less or greater than null.
  if (value === null) return op === 'lte' || op === 'gte' ? [point(null)] : []
  const bracket = bracketOf(value)
  const interval = op === 'lt' || op === 'lte'
    ? between(bracket.lower, bracket.lowerInclusive, value, op === 'lte')
    : between(value, op === 'gte', bracket.upper, bracket.upperInclusive)
  return isEmpty(interval) ? [] : [interval]
}

function touches (left: Interval, right: Interval): boolean {
  const order = compareValues(left.upper, right.lower)
  return order > 0 || (order === 0 && (left.upperInclusive || right.lowerInclusive))
}

/** The values that lie in one of `a` and one of `b`. */
export function intersect (a: Interval[], b: Interval[]): Interval[] {
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

/** Does every value of `inner` lie in one of `outer`? */
export function contains (outer: Interval[], inner: Interval[]): boolean {
  return inner.every(part => outer.some(whole => compareLower(whole, part) <= 0 && compareUpper(whole, part) >= 0))
}
