import type { Range } from './state.ts'

/** Sets of seqs as ascending ranges that neither overlap nor touch. */

export function addRange (ranges: readonly Range[], from: number, to: number): readonly Range[] {
  if (from > to) return ranges
  const added: Range[] = []
  let [first, last] = [from, to]
  for (const range of ranges) {
    if (range[1] < first - 1 || range[0] > last + 1) added.push(range)
    else [first, last] = [Math.min(first, range[0]), Math.max(last, range[1])]
  }
  added.push([first, last])
  return added.sort(([a], [b]) => a - b)
}

/** Without everything up to a seq. */
export function cutThrough (ranges: readonly Range[], through: number): readonly Range[] {
  return ranges.flatMap(([from, to]): Range[] => to <= through ? [] : [[Math.max(from, through + 1), to]])
}

/** The range that holds a seq. */
export function rangeAt (ranges: readonly Range[], seq: number): Range | undefined {
  return ranges.find(([from, to]) => from <= seq && seq <= to)
}

/** Is all of it held? */
export function isWhole (ranges: readonly Range[], from: number, to: number): boolean {
  return from > to || ranges.some(([first, last]) => first <= from && to <= last)
}
