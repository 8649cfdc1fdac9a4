import type { Message } from '@tidelog/client'
import { texts } from '../i18n/index.ts'
import { nameOf, useUser } from '../state/people.ts'

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
