import type { User } from '@tidelog/client'
import { useMemo } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { client } from './client.ts'
import { useReadable } from './readable.ts'

/** A user, fetched if unknown. */
export function useUser (id: string | undefined): User | undefined {
  return useReadable(useMemo(() => (id === undefined ? undefined : client.users.get(id)), [id]))
}

export function nameOf (user: User | undefined): string {
  return user?.fullName ?? texts.value.app.someone
}

/** The name by which one calls somebody in a few words. */
export function firstName (user: User | undefined): string {
  return nameOf(user).split(/\s+/u)[0] ?? nameOf(user)
}

export const myId = (): string => client.session.get().user?.id ?? ''

const segments = new Intl.Segmenter()

/** One or two characters that stand for a name: Mara Lindqvist is ML, 佐藤 遥 is 佐. */
export function initials (name: string): string {
  const words = name.trim().split(/\s+/u)
  const first = firstCharacter(words[0] ?? '')
  const last = words.length > 1 ? firstCharacter(words.at(-1) ?? '') : ''
  return /^\p{Script=Latin}|^\p{Script=Cyrillic}|^\p{Script=Greek}/u.test(first)
    ? (first + last).toLocaleUpperCase()
    : first
}

function firstCharacter (word: string): string {
  for (const { segment } of segments.segment(word)) if (/[\p{L}\p{N}\p{So}]/u.test(segment)) return segment
  return ''
}

/** One of twelve hues, the same for a user everywhere. */
export function hueOf (id: string): string {
  let hash = 0
  for (const character of id) hash = (hash * 31 + character.charCodeAt(0)) % 9_973
  return `h${hash % 12}`
}
