import type { Conversation } from '@tidelog/client'
import { texts } from '../i18n/index.ts'
import { client } from '../state/client.ts'

/** The kind that an id tells, before anything else is known. */
export function kindOf (id: string): 'direct' | 'room' | 'common' {
  return id.startsWith('dm_') ? 'direct' : id.startsWith('room_') ? 'room' : 'common'
}

export function otherOf (id: string): string | undefined {
  if (!id.startsWith('dm_')) return undefined
  const me = client.session.get().user?.id
  return id
    .split('_')
    .slice(1)
    .find(part => part !== me)
}

export function titleOf (kind: string, title: string | undefined, name: string | undefined): string {
  if (kind === 'common') return texts.value.app.common
  return kind === 'direct' ? (name ?? title ?? '…') : (title ?? '…')
}

/** What is shown above a conversation that is not in the list yet: one with somebody to whom nothing was written. */
export function guess (id: string) {
  const kind = kindOf(id)
  if (kind === 'room') return undefined
  return { kind, id, userId: otherOf(id) } as ReturnType<Conversation['summary']['get']>
}
