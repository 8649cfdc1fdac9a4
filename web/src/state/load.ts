import { useEffect, useRef, useState } from 'preact/hooks'
import { isAborted } from './failures.ts'

export interface Loaded<T> {
  value: T | undefined
  error: unknown
  isLoading: boolean
  again: () => void
}

/** Reads something when the component appears and whenever `key` changes; the read before is given up. */
export function useLoad<T> (key: string, read: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ value: T | undefined; error: unknown; isLoading: boolean }>({
    value: undefined,
    error: undefined,
    isLoading: true
  })
  const [round, setRound] = useState(0)
  const latest = useRef(read)
  latest.current = read
  useEffect(() => {
    const controller = new AbortController()
    setState(before => ({ ...before, error: undefined, isLoading: true }))
    latest.current(controller.signal).then(
      value => {
        if (!controller.signal.aborted) setState({ value, error: undefined, isLoading: false })
      },
      (error: unknown) => {
        if (!controller.signal.aborted && !isAborted(error)) {
          setState(before => ({ ...before, error, isLoading: false }))
        }
      }
    )
    return () => {
      controller.abort()
    }
  }, [key, round])
  return {
    ...state,
    again: () => {
      setRound(n => n + 1)
    }
  }
}

/** A value that follows another after a pause. */
export function useSettled<T> (value: T, pauseMs: number): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(value)
    }, pauseMs)
    return () => {
      clearTimeout(timer)
    }
  }, [value, pauseMs])
  return settled
}

/** False at first, true if the component is still shown after the time: for skeletons and calm lines. */
export function useLater (isWanted: boolean, afterMs: number): boolean {
  const [isLate, setLate] = useState(false)
  useEffect(() => {
    if (!isWanted) {
      setLate(false)
      return
    }
    const timer = setTimeout(() => {
      setLate(true)
    }, afterMs)
    return () => {
      clearTimeout(timer)
    }
  }, [isWanted, afterMs])
  return isWanted && isLate
}
