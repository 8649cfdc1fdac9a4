import { setTimeout as delay } from 'node:timers/promises'

/** Rejects if Redis takes longer than this: a frozen server, or a cut network, closes no connection. */
export async function within<T> (ms: number, promise: Promise<T>): Promise<T> {
  const patience = new AbortController()
  const isOver = delay(ms, undefined, { signal: patience.signal }).then(() => {
    throw new Error(`Redis has not answered within ${ms} ms`)
  })
  try {
    return await Promise.race([promise, isOver])
  } finally {
    isOver.catch(() => {})
    patience.abort()
  }
}
