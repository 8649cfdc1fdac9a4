import type { Readable } from '@tidelog/client'
import { useEffect, useReducer } from 'preact/hooks'

/** Shows a readable's value and follows it; undefined without one. */
export function useReadable<T> (readable: Readable<T>): T
export function useReadable<T> (readable: Readable<T> | undefined): T | undefined
export function useReadable<T> (readable: Readable<T> | undefined): T | undefined {
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    let shown = readable?.get()
    return readable?.subscribe(value => {
      if (value === shown) return
      shown = value
      redraw(undefined)
    })
  }, [readable])
  return readable?.get()
}
