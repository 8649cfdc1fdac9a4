import { effect, type Signal, signal } from '@preact/signals'
import { type Language, languages, preferredLanguage, useLanguage } from '../i18n/index.ts'

/** What the reader has chosen for this device; kept in the browser. */
export const theme = kept<'device' | 'light' | 'dark'>('theme', 'device', value =>
  ['device', 'light', 'dark'].includes(value)
)
export const textSize = kept<number>('textSize', 2, value => value >= 0 && value <= 4)
export const enterSends = kept<boolean>('enterSends', true, () => true)
export const tellTyping = kept<boolean>('tellTyping', true, () => true)
export const notify = kept<boolean>('notify', false, () => true)
/** Notifications for everything in rooms; otherwise for what mentions you. */
export const notifyRooms = kept<boolean>('notifyRooms', false, () => true)
export const chosenLanguage = kept<Language>('language', preferredLanguage(), value => value in languages)

/** Percent of the browser's own text size. */
const sizes = [87.5, 93.75, 100, 112.5, 125]

/** Shows the app as chosen, now and after every change; resolves when the language is there. */
export async function applyPreferences (): Promise<void> {
  effect(() => {
    if (theme.value === 'device') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = theme.value
  })
  effect(() => {
    document.documentElement.style.fontSize = `${sizes[textSize.value] ?? 100}%`
  })
  await useLanguage(chosenLanguage.value)
  chosenLanguage.subscribe(value => {
    void useLanguage(value)
  })
}

function kept<T> (name: string, otherwise: T, isValid: (value: T) => boolean): Signal<T> {
  const key = `tidelog:${name}`
  const value = signal(read())
  effect(() => {
    try {
      localStorage.setItem(key, JSON.stringify(value.value))
    } catch {
      // Storage is full or forbidden: the choice lasts as long as the page.
    }
  })
  return value

  function read (): T {
    try {
      const stored = localStorage.getItem(key)
      const parsed = stored === null ? otherwise : (JSON.parse(stored) as T)
      return typeof parsed === typeof otherwise && isValid(parsed) ? parsed : otherwise
    } catch {
      return otherwise
    }
  }
}
