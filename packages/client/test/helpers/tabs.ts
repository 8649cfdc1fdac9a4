import 'fake-indexeddb/auto'
import type { Locks } from '../../src/engine/tabs.ts'

interface Waiting { begin: () => void, isStealing: boolean }

/** The browser's locks, of which Node has none; its channels are there. @returns an end */
export function installLocks (): () => void {
  const holders = new Map<string, { lose: (error: unknown) => void }>()
  const queues = new Map<string, Waiting[]>()
  const next = (name: string) => {
    if (!holders.has(name)) queues.get(name)?.shift()?.begin()
  }
  const locks: Locks = {
    request: (name, { signal, steal = false }, work) => new Promise((resolve, reject) => {
      const queue = queues.get(name) ?? []
      queues.set(name, queue)
      const begin = () => {
        signal?.removeEventListener('abort', abort)
        const holder = { lose: reject }
        holders.set(name, holder)
        const end = () => {
          if (holders.get(name) === holder) holders.delete(name)
          next(name)
        }
        queueMicrotask(() => { void work().then(resolve, reject).finally(end) })
      }
      const waiting = { begin, isStealing: steal }
      const abort = () => {
        queues.set(name, queues.get(name)!.filter(one => one !== waiting))
        reject(new DOMException('aborted', 'AbortError'))
      }
      if (signal?.aborted === true) return abort()
      signal?.addEventListener('abort', abort)
      if (steal) {
        const before = holders.get(name)
        holders.delete(name)
        queue.unshift(waiting)
        before?.lose(new DOMException('stolen', 'AbortError'))
      } else queue.push(waiting)
      queueMicrotask(() => { next(name) })
    })
  }
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
  Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true })
  return () => {
    Reflect.deleteProperty(globalThis, 'navigator')
    if (before !== undefined) Object.defineProperty(globalThis, 'navigator', before)
  }
}
