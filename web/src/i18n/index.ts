import { signal } from '@preact/signals'
import { en, type Texts } from './en.ts'

/** The languages on offer, by their own names; English is in the first load, the others come when chosen. */
export const languages = { en: 'English', de: 'Deutsch' } as const
export type Language = keyof typeof languages

const loaders: Record<Language, () => Promise<Texts>> = {
  en: () => Promise.resolve(en),
  de: async () => (await import('./de.ts')).de
}

export const language = signal<Language>('en')
/** The texts of the chosen language; reading `.value` while rendering follows a change. */
export const texts = signal<Texts>(en)

/** Loads a language and shows the app in it. */
export async function useLanguage (chosen: Language): Promise<void> {
  texts.value = await loaders[chosen]()
  language.value = chosen
  document.documentElement.lang = chosen
  document.documentElement.dir = direction(chosen)
}

/** The first language on offer that the browser asks for. */
export function preferredLanguage (): Language {
  for (const wanted of navigator.languages) {
    const short = wanted.split('-')[0] ?? ''
    if (short in languages) return short as Language
  }
  return 'en'
}

function direction (tag: string): 'ltr' | 'rtl' {
  const locale = new Intl.Locale(tag) as Intl.Locale & {
    getTextInfo?: () => { direction: 'ltr' | 'rtl' }
    textInfo?: { direction: 'ltr' | 'rtl' }
  }
  return (locale.getTextInfo?.() ?? locale.textInfo)?.direction ?? 'ltr'
}
