import type { Summary } from '@tidelog/client'
import { useUser } from '../state/people.ts'
import { Avatar, RoomMark, type Size } from './avatar.tsx'

/** What stands for a conversation beside its name: the other person, or the room. */
export function ConversationMark ({ summary, size }: {
  /** Undefined: a room of which nothing is known yet. */
  summary: Pick<Summary, 'kind' | 'userId' | 'isPrivate' | 'picture'> | undefined
  size: Size
}) {
  const user = useUser(summary?.userId)
  if (summary?.kind === 'direct') return <Avatar user={user} id={summary.userId ?? ''} size={size} withPresence />
  return (
    <RoomMark
      kind={summary?.kind === 'common' ? 'common' : 'room'}
      isPrivate={summary?.isPrivate === true}
      picture={summary?.picture}
      size={size}
    />
  )
}
