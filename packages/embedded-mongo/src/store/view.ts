/**
 * What a reader sees: LMDB, over it the layers that are not on disk yet (up to one commit), and over those the writes
 * of the reader's own transaction. A newer layer hides an older one and LMDB. If LMDB already has a layer that is still
 * in memory, that makes no difference: the values are the same.
 */
import { compareKeys, mergeSorted } from './layer.ts'
import type { Layer, Version } from './layer.ts'
import type { Environment, Pin } from './environment.ts'

export type Visit = (key: string) => boolean

export class View {
  readonly #environment: Environment
  readonly #layers: () => readonly Layer[]
  /** The newest commit that this view contains. */
  readonly seq: number
  readonly #pin: Pin | undefined
  readonly #own: Layer | undefined

  /** @param layers oldest first. Without a pin, the view always shows the newest state. */
  constructor (environment: Environment, layers: () => readonly Layer[], seq = Infinity, pin?: Pin, own?: Layer) {
    this.#environment = environment
    this.#layers = layers
    this.seq = seq
    this.#pin = pin
    this.#own = own
  }

  #version (key: string): Version | undefined {
    const own = this.#own?.versions.get(key)
    if (own !== undefined) return own
    const layers = this.#layers()
    for (let i = layers.length - 1; i >= 0; i--) {
      const version = layers[i]!.at(key, this.seq)
      if (version !== undefined) return version
    }
    return undefined
  }

  /** Danger: the value is valid only until the next read. Decode or copy it at once. */
  peek (key: string): Buffer | undefined {
    const version = this.#version(key)
    if (version !== undefined) return version.value ?? undefined
    return this.#environment.peek(key, this.#pin)
  }

  /** A copy of the value. */
  get (key: string): Buffer | undefined {
    const bytes = this.peek(key)
    return bytes && Buffer.from(bytes)
  }

  /** Visits the keys in `[lower, upper)` in order until `visit` returns false. `visit` must not write. */
  scan (lower: string, upper: string, reverse: boolean, visit: Visit): void {
    if (lower >= upper) return
    const overlay = this.#overlayKeys(lower, upper)
    const stored = this.#environment.keys(lower, upper, reverse, this.#pin)
    if (overlay.length === 0) {
      for (const key of stored) if (!visit(key)) return
      return
    }
    this.#scanMerged(reverse ? overlay.slice().reverse() : overlay, stored, reverse ? -1 : 1, visit)
  }

  #scanMerged (overlay: readonly string[], stored: Iterable<string>, sign: 1 | -1, visit: Visit): void {
    let next = 0
    for (const key of stored) {
      while (next < overlay.length && compareKeys(overlay[next]!, key) * sign < 0) {
        const added = overlay[next++]!
        if (this.#isAdded(added) && !visit(added)) return
      }
      if (next < overlay.length && overlay[next] === key) {
        next++
        if (this.#version(key)?.value === null) continue
      }
      if (!visit(key)) return
    }
    while (next < overlay.length) {
      const added = overlay[next++]!
      if (this.#isAdded(added) && !visit(added)) return
    }
  }

  /** Does a key that LMDB does not have exist in this view? */
  #isAdded (key: string): boolean {
    const version = this.#version(key)
    return version !== undefined && version.value !== null
  }

  #overlayKeys (lower: string, upper: string): readonly string[] {
    let merged: readonly string[] = this.#own?.keysIn(lower, upper) ?? []
    for (const layer of this.#layers()) {
      const keys = layer.keysIn(lower, upper)
      if (keys.length > 0) merged = merged.length === 0 ? keys : mergeSorted(merged, keys)
    }
    return merged
  }
}
