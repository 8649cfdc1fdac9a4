import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** Milliseconds that a finger rests on a message for its actions, and pixels that it moves it aside for a reply. */
const longPressMs = 450
const replyPx = 56

/** A finger's ways to act on a message: resting opens its actions, pulling it towards the middle replies. */
export function useGestures (
  content: RefObject<HTMLElement | null>,
  onAct: (act: 'menu' | 'reply', row: HTMLElement) => void
): void {
  const latest = useRef(onAct)
  latest.current = onAct
  useEffect(() => {
    const element = content.current
    if (element === null) return
    let row: HTMLElement | undefined
    let start = { x: 0, y: 0 }
    let isPulled = false
    let hasOpened = false
    let timer: ReturnType<typeof setTimeout> | undefined

    const down = (event: TouchEvent) => {
      const touch = event.touches[0]
      const target = event.target instanceof Element ? event.target : null
      row =
        event.touches.length === 1 && target?.closest('button, a, pre') === null
          ? (target.closest<HTMLElement>('article') ?? undefined)
          : undefined
      if (touch === undefined || row === undefined) return
      start = { x: touch.clientX, y: touch.clientY }
      const pressed = row
      timer = setTimeout(() => {
        row = undefined
        hasOpened = true
        navigator.vibrate?.(10)
        latest.current('menu', pressed)
      }, longPressMs)
    }
    const moved = (event: TouchEvent) => {
      const touch = event.touches[0]
      if (row === undefined || touch === undefined) return
      const across = Math.abs(touch.clientX - start.x)
      const along = Math.abs(touch.clientY - start.y)
      if (across > 8 || along > 8) clearTimeout(timer)
      if (along > across && !isPulled) row = undefined
      if (row === undefined || across < 12) return
      isPulled = true
      event.preventDefault()
      row.style.translate = `${Math.sign(touch.clientX - start.x) * Math.min(across - 12, replyPx)}px`
      row.classList.toggle('pulled', across > replyPx)
    }
    const up = (event: TouchEvent) => {
      clearTimeout(timer)
      // The finger that opened the actions lies on one of them now: to lift it is no press.
      if (hasOpened && event.cancelable) event.preventDefault()
      hasOpened = false
      if (row !== undefined && isPulled) {
        if (row.classList.contains('pulled')) latest.current('reply', row)
        row.style.translate = ''
        row.classList.remove('pulled')
      }
      row = undefined
      isPulled = false
    }
    element.addEventListener('touchstart', down, { passive: true })
    element.addEventListener('touchmove', moved, { passive: false })
    element.addEventListener('touchend', up)
    element.addEventListener('touchcancel', up)
    return () => {
      clearTimeout(timer)
      element.removeEventListener('touchstart', down)
      element.removeEventListener('touchmove', moved)
      element.removeEventListener('touchend', up)
      element.removeEventListener('touchcancel', up)
    }
  }, [])
}
