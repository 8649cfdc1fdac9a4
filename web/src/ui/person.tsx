import type { User } from '@tidelog/client'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { why } from '../state/failures.ts'
import { nameOf } from '../state/people.ts'
import { Avatar } from './avatar.tsx'

/** Somebody in a list: picture, name, and a note below it. */
export function Person ({
  user,
  id,
  note,
  size = '',
  withPresence = false
}: {
  user: User | undefined
  id: string
  note: ComponentChildren
  size?: 'sm' | 'md' | ''
  withPresence?: boolean
}) {
  return (
    <>
      <Avatar user={user} id={id} size={size} withPresence={withPresence} />
      <span class='grow'>
        <b class='cut' dir='auto'>
          {nameOf(user)}
        </b>
        <small class='cut'>{note}</small>
      </span>
    </>
  )
}

/** Somebody for whom one thing can be undone: a block, a ban. If that fails, the reason stands below the name. */
export function PersonToRelease ({
  user,
  id,
  act,
  onAct
}: {
  user: User | undefined
  id: string
  act: string
  onAct: () => Promise<unknown>
}) {
  const [error, setError] = useState<string>()
  return (
    <div class='item'>
      <Person user={user} id={id} note={error ?? `@${user?.username ?? ''}`} />
      <button
        type='button'
        class='btn line sm'
        onClick={() => {
          onAct().catch((failure: unknown) => {
            setError(why(failure))
          })
        }}
      >
        {act}
      </button>
    </div>
  )
}
