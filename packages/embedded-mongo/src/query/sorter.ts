/** Sorting in memory, within a bound and in slices. */
import { checkMemory, MEMORY_BYTES_MAX } from '../values/memory.ts'
import { Slice } from '../values/slices.ts'

/** What an item costs beside its bytes and its key, about. */
const ITEM_BYTES = 150
/** So many are sorted in one piece. */
const RUN = 1_024

type Entry<T> = { readonly order: Buffer, readonly item: T, readonly bytes: number }

export class Sorter<T> {
  /** So many from the first on are wanted. */
  readonly #wanted: number
  #entries: Entry<T>[] = []
  #bytes = 0
  /** The order of the last that was wanted when there were too many. */
  #bar: Buffer | undefined
  #sorting: Generator<undefined, Entry<T>[]> | undefined
  #result: readonly T[] | undefined

  constructor (wanted: number) {
    this.#wanted = wanted
  }

  /** Whether an item of this order may be among those wanted. */
  wants (order: Buffer): boolean {
    return this.#bar === undefined || Buffer.compare(order, this.#bar) < 0
  }

  add (order: Buffer, item: T, bytes: number): void {
    const entry = { order, item, bytes: bytes + order.length + ITEM_BYTES }
    this.#entries.push(entry)
    this.#bytes += entry.bytes
    const { length } = this.#entries
    if (length >= 2 * this.#wanted + RUN || (length >= 1.25 * this.#wanted && this.#bytes > MEMORY_BYTES_MAX / 2)) this.#cut()
    checkMemory(this.#bytes, 'Sort')
  }

  #cut (): void {
    this.#entries = this.#entries.sort(compare).slice(0, this.#wanted)
    this.#bar = this.#entries.at(-1)?.order
    this.#bytes = this.#entries.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** All that are wanted, in order, equal ones as they came; undefined when it has to be asked again. */
  sorted (): readonly T[] | undefined {
    this.#sorting ??= mergeSort(this.#entries)
    const { value } = this.#sorting.next()
    if (value !== undefined) this.#result = value.slice(0, this.#wanted).map(({ item }) => item)
    return this.#result
  }
}

function compare (a: Entry<unknown>, b: Entry<unknown>): number {
  return Buffer.compare(a.order, b.order)
}

/** Pauses where it yields. */
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
