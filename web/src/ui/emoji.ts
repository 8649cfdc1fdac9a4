import { signal } from '@preact/signals'

/** What is picked for, and beside what. */
export interface EmojiRequest {
  anchor: Element
  onPick: (emoji: string) => void
}

const key = 'tidelog:emoji'
const usual = ['👍', '❤️', '😂', '😮', '🙏', '🎉', '👀', '✅']
const recentMax = 24

/** Undefined: the picker is closed. */
export const emojiRequest = signal<EmojiRequest | undefined>(undefined)

/** Opens the picker beside an element. */
export function openEmoji (anchor: Element, onPick: (emoji: string) => void): void {
  emojiRequest.value = {
    anchor,
    onPick: emoji => {
      noteUse(emoji)
      onPick(emoji)
    }
  }
}

/** The reader's own latest first, then the usual ones. */
export function quickEmoji (): string[] {
  return [...new Set([...recent(), ...usual])]
}

function recent (): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(stored) ? stored.filter(emoji => typeof emoji === 'string') : []
  } catch {
    return []
  }
}

function noteUse (emoji: string): void {
  try {
    localStorage.setItem(
      key,
      JSON.stringify([emoji, ...recent().filter(other => other !== emoji)].slice(0, recentMax))
    )
  } catch {
    // Storage is full or forbidden: the order is forgotten, nothing else.
  }
}
