import type { Message, Summary } from '@tidelog/client'
import { useEffect, useState } from 'preact/hooks'

/** Seconds until a room in slow mode takes the next message of a plain member; 0: now. The server decides. */
export function useWait (summary: Summary | undefined, messages: readonly Message[]): number {
  const seconds = summary?.role === 'member' ? summary.slowModeS ?? 0 : 0
  const last = seconds === 0
    ? undefined
    : messages.findLast(({ isOwn, type, status }) => isOwn && type !== 'system' && status !== 'failed')
  const [now, setNow] = useState(Date.now)
  const leftMs = last === undefined ? 0 : last.createdAt + seconds * 1_000 - now
  // A device whose clock is behind must not wait for longer than the room asks.
  const waitS = Math.min(seconds, Math.max(0, Math.ceil(leftMs / 1_000)))
  useEffect(() => {
    setNow(Date.now())
  }, [last?.key, seconds])
  useEffect(() => {
    if (waitS === 0) return
    const timer = setTimeout(() => {
      setNow(Date.now())
    }, 250)
    return () => {
      clearTimeout(timer)
    }
  }, [now, waitS])
  return waitS
}
