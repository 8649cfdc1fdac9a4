import type { Conversation, Mentions, User } from '@tidelog/client'
import { useEffect, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { client } from '../state/client.ts'
import { myId } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { Avatar } from '../ui/avatar.tsx'

const shownMax = 6

/** The people whom one can name here: the members, you excepted. */
export function useMentionable (conversation: Conversation): User[] {
  const members = useReadable(conversation.members)
  const [people, setPeople] = useState<User[]>([])
  useEffect(() => {
    const ids = members.map(member => member.userId).filter(id => id !== myId())
    const known = new Map<string, User>()
    let isPlanned = false
    const ends = ids.slice(0, 500).map(id =>
      client.users.get(id).subscribe(user => {
        if (user === undefined) return
        known.set(id, user)
        later()
      })
    )
    function later (): void {
      if (isPlanned) return
      isPlanned = true
      queueMicrotask(() => {
        isPlanned = false
        setPeople([...known.values()])
      })
    }
    return () => {
      for (const end of ends) end()
    }
  }, [members])
  return people
}

/** What is being completed: an @ and the beginning of a name, up to the caret. */
export function completionAt (
  text: string,
  caret: number,
  people: User[]
): { start: number; people: User[] } | undefined {
  const match = /(?:^|[\s(])@([\p{L}\p{N}_.-]*)$/u.exec(text.slice(0, caret))
  if (match === null) return undefined
  const begun = (match[1] ?? '').toLowerCase()
  const fitting = people
    .filter(
      user =>
        user.username.toLowerCase().startsWith(begun) ||
        user.fullName
          .toLowerCase()
          .split(/\s+/u)
          .some(word => word.startsWith(begun))
    )
    .slice(0, shownMax)
  // A name that is written out needs no help: Enter sends.
  const isWhole = fitting.length === 1 && fitting[0]?.username.toLowerCase() === begun
  return fitting.length === 0 || isWhole ? undefined : { start: caret - begun.length - 1, people: fitting }
}

/** Whom a text names. */
export function mentionsIn (text: string, people: User[]): Mentions {
  const names = new Set(
    [...text.matchAll(/(?<![\p{L}\p{N}_.@-])@([A-Za-z0-9_.-]{3,32})/gu)].map(match =>
      (match[1] ?? '').toLowerCase().replace(/[.-]+$/, '')
    )
  )
  return { userIds: people.filter(user => names.has(user.username.toLowerCase())).map(user => user.id) }
}

/** The field in which one writes names what is chosen in the list by these: the focus stays with it. */
export const mentionListId = 'mentions'
export const mentionId = ({ id }: User): string => `mention-${id}`

export function MentionList ({
  people,
  chosen,
  onChoose
}: {
  people: User[]
  chosen: number
  onChoose: (username: string) => void
}) {
  return (
    <div class='menu mentions' role='listbox' id={mentionListId} aria-label={texts.value.chat.mention}>
      {people.map((user, at) => (
        <button
          key={user.id}
          id={mentionId(user)}
          type='button'
          role='option'
          aria-selected={at === chosen}
          class={at === chosen ? 'is-hover' : undefined}
          tabIndex={-1}
          onMouseDown={event => {
            event.preventDefault()
            onChoose(user.username)
          }}
        >
          <Avatar user={user} id={user.id} size='xs' />
          <span class='cut' dir='auto'>
            {user.fullName}
          </span>
          <span class='muted small'>@{user.username}</span>
        </button>
      ))}
    </div>
  )
}
