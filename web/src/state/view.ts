import { signal } from '@preact/signals'

/** Two panes beside each other, or one that has the screen. */
export const isWide = media('(width >= 840px)')
/** The pointer is a finger: no hover, actions by a sheet. */
export const isTouch = media('(hover: none)')

export const showsShortcuts = signal(false)
export const showsFaults = signal(false)
/** This device refused to store something, moments ago. */
export const cannotStore = signal(false)
/** What the polite live region says. */
export const spoken = signal('')

/** Milliseconds for which it is told that something could not be stored. */
const toldMs = 10_000
let untold: ReturnType<typeof setTimeout> | undefined

export function noteFullStorage (): void {
  cannotStore.value = true
  clearTimeout(untold)
  untold = setTimeout(() => {
    cannotStore.value = false
  }, toldMs)
}

/** Says something to screen readers, even if it is what was said last. */
export function say (text: string): void {
  spoken.value = spoken.value === text ? `${text} ` : text
}

function media (query: string) {
  const list = matchMedia(query)
  const matches = signal(list.matches)
  list.addEventListener('change', () => {
    matches.value = list.matches
  })
  return matches
}
