const minute = 60_000
const day = 24 * 60 * minute

/** How long ago the last line of each talk was said, in minutes, in the order of the talks. */
const ages = [4, 190, 130, 2_900, 320, 1_500, 250, 9, 13, 70, 1_350, 2_980, 4_400, 210, 1_620]
/** Minutes between two lines of a talk. */
const gaps = [2, 1, 4, 1, 2, 1, 3]
/** Days over which a talk has gone on before. */
const days = 6

/**
 * When each line of a talk was said, in milliseconds since 1970, ascending: those that it has behind it in the days
 * before, by daylight, and its own one soon after the other.
 * @param at its number among the talks
 */
export function timesOf (at: number, past: number, own: number, nowMs: number): number[] {
  const times: number[] = []
  let ms = nowMs - ages[at % ages.length]! * minute
  for (let line = own - 1; line >= 0; line--) {
    times[past + line] = ms
    ms -= gaps[(at + line) % gaps.length]! * minute
  }
  const began = new Date(ms - days * day).setHours(0, 0, 0, 0)
  for (let line = 0; line < past; line++) {
    const part = line / past * days
    const hours = 7 + (part % 1) * 11 + ((at * 37 + line * 17) % 60) / 100
    times[line] = Math.min(ms - (past - line) * minute, began + Math.floor(part) * day + hours * 60 * minute)
  }
  return times
}
