import type { Message } from '@tidelog/client'
import { texts } from '../i18n/index.ts'
import { firstName, nameOf, useUser } from '../state/people.ts'

/** What a system message says, in the reader's language if this app knows its event. */
export function useEventText (message: Message): string {
  const { event = '', userId, by, role = 'member', name = '' } = message.system ?? {}
  const whom = nameOf(useUser(userId))
  const who = nameOf(useUser(by))
  const t = texts.value.events
  const told: Record<string, () => string> = {
    created: () => t.created(who),
    joined: () => t.joined(whom),
    left: () => t.left(whom),
    added: () => t.added(who, whom),
    removed: () => t.removed(who, whom),
    role: () => by === undefined && role === 'owner' ? t.succeeded(whom) : t[role](who, whom),
    renamed: () => t.renamed(who, name),
    pinned: () => t.pinned(who)
  }
  return told[event]?.() ?? message.text
}

/** What many of those say in one line who came or went: by name if all did the same, else how many did what. */
export function useFoldedText (messages: readonly Message[]): string {
  const t = texts.value.events
  const kinds = new Set(messages.map(({ system }) => system?.event))
  const doers = new Set(messages.map(({ system }) => system?.by))
  const whom = [...new Set(messages.flatMap(({ system }) => system?.userId ?? []))]
  const users = [useUser(whom[0]), useUser(whom[1]), useUser(whom[2])]
  // One more name is not longer than "1 other".
  const names = users.slice(0, whom.length === users.length ? 3 : 2).map(firstName)
  const who = nameOf(useUser([...doers][0]))
  const [event] = kinds
  if (kinds.size === 1 && whom.length === messages.length) {
    const people = t.people(names, whom.length - names.length)
    if (event === 'joined') return t.allJoined(people)
    if (event === 'left') return t.allLeft(people)
    if (doers.size === 1) return event === 'added' ? t.added(who, people) : t.removed(who, people)
  }
  const told = (event: keyof typeof t.counts) => {
    const n = messages.filter(({ system }) => system?.event === event).length
    return n === 0 ? [] : t.counts[event](n)
  }
  return (['added', 'joined', 'left', 'removed'] as const).flatMap(told).join(' · ')
}
