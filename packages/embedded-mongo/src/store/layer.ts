/**
 * A layer holds what is committed but not in LMDB yet, or what one open transaction has written. Keys are byte strings
 * (one latin1 character for each byte), so that `<` orders them as LMDB does and they can be keys of a Map.
 */

/** One value of a key; `null` is a removal. Older values stay available for snapshots from before `seq`. */
export type Version = { readonly seq: number, readonly value: Buffer | null, readonly older: Version | undefined }

/** The first bytes of a key are the prefix of its collection or index. No range scan crosses a prefix. */
const PREFIX_BYTES = 4

/** The keys of one collection or index in this layer, sorted only for a scan. */
class KeyRun {
  #sorted: string[] = []
  #fresh: string[] = []

  add (key: string): void {
    const { length } = this.#sorted
    if (this.#fresh.length === 0 && (length === 0 || this.#sorted[length - 1]! < key)) this.#sorted.push(key)
    else this.#fresh.push(key)
  }

  /** All keys, ascending. Later changes of the array do not affect a running scan. */
  sorted (): readonly string[] {
    if (this.#fresh.length > 0) {
      this.#fresh.sort(compareKeys)
      this.#sorted = mergeSorted(this.#sorted, this.#fresh)
      this.#fresh = []
    }
    return this.#sorted
  }
}

export class Layer {
  readonly versions = new Map<string, Version>()
  readonly #runs = new Map<string, KeyRun>()
  /** Resolves when the layer is on disk; rejects if it could not be written. */
  readonly written: Promise<void>
  resolve!: () => void
  reject!: (error: Error) => void

  constructor () {
    this.written = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // A layer that no caller waits for may fail too. Callers that wait still get the error.
    this.written.catch(() => {})
  }

  put (key: string, value: Buffer | null, seq: number): void {
    const older = this.versions.get(key)
    this.versions.set(key, { seq, value, older })
    if (older !== undefined) return
    const prefix = key.slice(0, PREFIX_BYTES)
    let run = this.#runs.get(prefix)
    if (run === undefined) {
      run = new KeyRun()
      this.#runs.set(prefix, run)
    }
    run.add(key)
  }

  /** The newest value of the key up to the commit `seq`. */
  at (key: string, seq: number): Version | undefined {
    let version = this.versions.get(key)
    while (version !== undefined && version.seq > seq) version = version.older
    return version
  }

  /** Keys in `[lower, upper)`, ascending, whatever their age. */
  keysIn (lower: string, upper: string): readonly string[] {
    const run = this.#runs.get(lower.slice(0, PREFIX_BYTES))
    if (run === undefined) return []
    const keys = run.sorted()
    const from = lowerBound(keys, lower)
    const to = lowerBound(keys, upper)
    return from === 0 && to === keys.length ? keys : keys.slice(from, to)
  }

  /**
   * Visits every key with its newest value, sorted within a prefix, so that neighbours on a page are written together.
   */
  forEachNewest (visit: (key: string, value: Buffer | null) => void): void {
    for (const run of this.#runs.values()) {
      for (const key of run.sorted()) visit(key, this.versions.get(key)!.value)
    }
  }
}

export function compareKeys (a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Index of the first key that is not below `bound`. */
function lowerBound (keys: readonly string[], bound: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < bound) low = middle + 1
    else high = middle
  }
  return low
}

/** Merges two ascending lists into a new one. A key of both appears once. */
export function mergeSorted (a: readonly string[], b: readonly string[]): string[] {
  if (a.length === 0) return b.slice()
  const merged: string[] = []
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const left = a[i]!
    const right = b[j]!
    if (left <= right) {
      merged.push(left)
      i++
      if (left === right) j++
    } else {
      merged.push(right)
      j++
    }
  }
  while (i < a.length) merged.push(a[i++]!)
  while (j < b.length) merged.push(b[j++]!)
  return merged
}
