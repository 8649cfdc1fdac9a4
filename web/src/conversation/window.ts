import type { Message } from '@tidelog/client'

/** The messages that are in the page: messages[from] … messages[to − 1]. */
export interface Range {
  from: number
  to: number
}

/** At most so many messages are in the page, and so many come at once. */
const rowsMax = 150
const step = 50

export function atEnd (length: number): Range {
  return { from: Math.max(0, length - rowsMax), to: length }
}

export function around (index: number, length: number): Range {
  const from = Math.max(0, Math.min(index - Math.floor(rowsMax / 3), length - rowsMax))
  return { from, to: Math.min(length, from + rowsMax) }
}

export function older ({ from, to }: Range): Range {
  const start = Math.max(0, from - step)
  return { from: start, to: Math.min(to, start + rowsMax) }
}

export function newer ({ from, to }: Range, length: number): Range {
  const end = Math.min(length, to + step)
  return { from: Math.max(from, end - rowsMax), to: end }
}

/**
 * The same messages after the list has changed. `follows`: the reader is at the end and sees what arrives. Undefined if
 * none of them is left: the list is another one.
 */
export function carry (
  before: readonly Message[],
  after: readonly Message[],
  range: Range,
  follows: boolean
): Range | undefined {
  const shift = shiftOf(before, after, range)
  if (shift === undefined) return undefined
  const from = clamp(range.from + shift, after.length)
  const reachedEnd = range.to >= before.length
  let to =
    reachedEnd && (follows || after.length - from <= rowsMax) ? after.length : clamp(range.to + shift, after.length)
  if (follows && reachedEnd) return { from: Math.max(from, to - rowsMax), to }
  to = Math.min(to, from + rowsMax)
  return { from, to: Math.max(to, Math.min(after.length, from + 1)) }
}

/** By how much the first message that is still there has moved. */
function shiftOf (before: readonly Message[], after: readonly Message[], range: Range): number | undefined {
  if (before[range.from] !== undefined && before[range.from]?.key === after[range.from]?.key) return 0
  const places = new Map(after.map((message, at) => [message.key, at]))
  for (let at = range.from; at < range.to; at++) {
    const place = places.get(before[at]?.key ?? '')
    if (place !== undefined) return place - at
  }
  return undefined
}

function clamp (value: number, max: number): number {
  return Math.max(0, Math.min(value, max))
}
