import type { Readable } from './types.ts'

/** Told of every change; what one listener throws reaches neither the others nor who made the change. */
export class Listeners<T> {
  private readonly fns = new Set<(value: T) => void>()

  add (fn: (value: T) => void): () => void {
    const own = (value: T) => { fn(value) }
    this.fns.add(own)
    return () => { this.fns.delete(own) }
  }

  get size (): number {
    return this.fns.size
  }

  call (value: T): void {
    for (const fn of [...this.fns]) callSafely(fn, value)
  }
}

function callSafely<T> (fn: (value: T) => void, value: T): void {
  try {
    fn(value)
  } catch (error) {
    // As an uncaught error, where it belongs; here it would end the sync.
    queueMicrotask(() => { throw error })
  }
}

/** State that is set. */
export class Value<T> implements Readable<T> {
  private value: T
  private readonly listeners = new Listeners<T>()

  constructor (value: T) {
    this.value = value
  }

  readonly get = (): T => this.value

  readonly subscribe = (fn: (value: T) => void): (() => void) => {
    const end = this.listeners.add(fn)
    callSafely(fn, this.value)
    return end
  }

  set (value: T): void {
    if (value === this.value) return
    this.value = value
    this.listeners.call(value)
  }
}

/** State that is worked out when somebody looks, once for many changes. */
export class Computed<T> implements Readable<T> {
  private value: T | undefined
  private isFresh = false
  private isScheduled = false
  private readonly compute: () => T
  private readonly onFirst: (() => void) | undefined
  private readonly listeners = new Listeners<T>()

  /** @param onFirst called when somebody subscribes and nobody did before */
  constructor (compute: () => T, onFirst?: () => void) {
    this.compute = compute
    this.onFirst = onFirst
  }

  readonly get = (): T => {
    if (!this.isFresh) {
      this.value = this.compute()
      this.isFresh = true
    }
    return this.value as T
  }

  readonly subscribe = (fn: (value: T) => void): (() => void) => {
    if (this.listeners.size === 0) this.onFirst?.()
    let last: T | undefined
    const end = this.listeners.add(value => {
      if (value !== last) fn(last = value)
    })
    callSafely(fn, last = this.get())
    return end
  }

  get isFollowed (): boolean {
    return this.listeners.size > 0
  }

  invalidate (): void {
    this.isFresh = false
    if (this.isScheduled || this.listeners.size === 0) return
    this.isScheduled = true
    queueMicrotask(() => {
      this.isScheduled = false
      this.listeners.call(this.get())
    })
  }
}

/** What `work` gives, worked out anew only when it is given something else. */
export function memo<A extends unknown[], T> (work: (...given: A) => T): (...given: A) => T {
  let last: A | undefined
  let value: T
  return (...given) => {
    if (last === undefined || given.some((one, index) => one !== last![index])) value = work(...given)
    last = given
    return value
  }
}
