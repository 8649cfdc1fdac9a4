/** Sorts in memory, within a bound and in slices. */
import { checkMemory, MEMORY_BYTES_MAX } from '../values/memory.ts'
import { Slice } from '../values/slices.ts'

/** Approximate memory of an item without its bytes and its key. */
const ITEM_BYTES = 150
/** Items that are sorted at once. */
const RUN = 1_024

type Entry<T> = { readonly order: Buffer, readonly item: T, readonly bytes: number }

export class Sorter<T> {
  /** Only this many items, the first in order, are needed. */
  readonly #count: number
  #entries: Entry<T>[] = []
  #bytes = 0
  /** The order of the last item that was kept when there were too many: a later item is not needed. */
  #limit: Buffer | undefined
  #sorting: Generator<undefined, Entry<T>[]> | undefined
  #result: readonly T[] | undefined

  constructor (count: number) {
    this.#count = count
  }

  /** May an item of this order be among the first `count`? */
  needs (order: Buffer): boolean {
    return this.#limit === undefined || Buffer.compare(order, this.#limit) < 0
  }

  add (order: Buffer, item: T, bytes: number): void {
    const entry = { order, item, bytes: bytes + order.length + ITEM_BYTES }
    this.#entries.push(entry)
    this.#bytes += entry.bytes
    const { length } = this.#entries
    const isAboveHalf = this.#bytes > MEMORY_BYTES_MAX / 2
    if (length >= 2 * this.#count + RUN || (length >= 1.25 * this.#count && isAboveHalf)) this.#cut()
    checkMemory(this.#bytes, 'Sort')
  }

  #cut (): void {
    this.#entries = this.#entries.sort(compare).slice(0, this.#count)
    this.#limit = this.#entries.at(-1)?.order
    this.#bytes = this.#entries.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** The first `count` items in order, equal ones as they were added; undefined: not sorted yet, call again later. */
  sorted (): readonly T[] | undefined {
    this.#sorting ??= mergeSort(this.#entries)
    const { value } = this.#sorting.next()
    if (value !== undefined) this.#result = value.slice(0, this.#count).map(({ item }) => item)
    return this.#result
  }
}

function compare (a: Entry<unknown>, b: Entry<unknown>): number {
  return Buffer.compare(a.order, b.order)
}

/** Yields when other commands should run. */
function * mergeSort<T> (entries: Entry<T>[]): Generator<undefined, Entry<T>[]> {
  const slice = new Slice()
  let runs: Entry<T>[][] = []
  for (let i = 0; i < entries.length; i += RUN) {
    runs.push(entries.slice(i, i + RUN).sort(compare))
    if (i > 0) yield
  }
  while (runs.length > 1) {
    const merged: Entry<T>[][] = []
    for (let i = 0; i < runs.length; i += 2) merged.push(yield * merge(runs[i]!, runs[i + 1] ?? [], slice))
    runs = merged
  }
  return runs[0] ?? []
}

function * merge<T> (a: Entry<T>[], b: Entry<T>[], slice: Slice): Generator<undefined, Entry<T>[]> {
  const merged: Entry<T>[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const fromA = j === b.length || (i < a.length && compare(a[i]!, b[j]!) <= 0)
    merged.push(fromA ? a[i++]! : b[j++]!)
    if (slice.isOver()) yield
  }
  return merged
}
