/** The first `count` items in the order of `compare`, without sorting the rest. */
export function firstOf<T> (items: readonly T[], count: number, compare: (a: T, b: T) => number): T[] {
  // Sorting costs more than looking for a place among `count` items only if most items are not among the first.
  if (items.length <= 2 * count) return [...items].sort(compare).slice(0, count)
  const first: T[] = []
  for (const item of items) {
    if (first.length === count && (count === 0 || compare(item, first[count - 1]!) >= 0)) continue
    let [low, high] = [0, first.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (compare(item, first[middle]!) < 0) high = middle
      else low = middle + 1
    }
    first.splice(low, 0, item)
    if (first.length > count) first.pop()
  }
  return first
}
