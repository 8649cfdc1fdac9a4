import { TidelogError } from './errors.ts'
import type { Clock } from './types.ts'

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms)
    // In Node a wait of this package keeps no program alive.
    if (typeof timer === 'object') (timer as { unref?: () => void }).unref?.()
    return () => { clearTimeout(timer) }
  }
}

export function sleep (clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted === true) return resolve()
    const done = () => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal?.addEventListener('abort', done)
  })
}

/** Waits for it until the signal; what was begun goes on. @throws TidelogError ABORTED */
export async function untilAborted<T> (work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  let abort = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => { reject(new TidelogError({ code: 'ABORTED' })) }
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort)
  })
  try {
    return await Promise.race([aborted, work])
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/** Milliseconds before what has failed so often in a row is tried again: a random part of a wait that doubles. */
export function backoffMs (random: () => number, failures: number, maxMs = 60_000): number {
  return random() * Math.min(maxMs, 1_000 * 2 ** failures)
}

/** An id that nobody else chooses. */
export function newId (random: () => number): string {
  let id = ''
  for (let part = 0; part < 4; part++) id += Math.floor(random() * 2 ** 32).toString(36).padStart(7, '0')
  return id
}

/** Uniform in [0, 1), from the system's source. */
export function systemRandom (): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32
}
