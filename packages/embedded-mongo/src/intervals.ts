/** Lists of intervals in the order of values, ascending and without overlaps. */
import { compareValues } from './compare.ts'
import { pointInterval, type Interval } from './key-bytes.ts'
import type { Value } from './values.ts'

/** The interval of one value. */
export const point = pointInterval

export const between = (lower: Value, lowerInclusive: boolean, upper: Value, upperInclusive: boolean): Interval => ({ lower, lowerInclusive, upper, upperInclusive })

function compareLower (a: Interval, b: Interval): number {
  return compareValues(a.lower, b.lower) || Number(b.lowerInclusive) - Number(a.lowerInclusive)
}

function compareUpper (a: Interval, b: Interval): number {
  return compareValues(a.upper, b.upper) || Number(a.upperInclusive) - Number(b.upperInclusive)
}

export function isEmpty ({ lower, lowerInclusive, upper, upperInclusive }: Interval): boolean {
  const order = compareValues(lower, upper)
  return order > 0 || (order === 0 && !(lowerInclusive && upperInclusive))
}

/** The values that lie in any of the intervals, which may be in any order. */
export function union (intervals: Interval[]): Interval[] {
  const result: Interval[] = []
  for (const next of [...intervals].sort(compareLower)) {
    const last = result.at(-1)
    if (last === undefined || !touches(last, next)) result.push(next)
    else if (compareUpper(last, next) < 0) result[result.length - 1] = { ...last, upper: next.upper, upperInclusive: next.upperInclusive }
  }
  return result
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

/** Whether every value of `inner` lies in one of `outer`. */
export function contains (outer: Interval[], inner: Interval[]): boolean {
  return inner.every(part => outer.some(whole => compareLower(whole, part) <= 0 && compareUpper(whole, part) >= 0))
}
