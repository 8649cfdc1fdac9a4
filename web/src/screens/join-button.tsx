import type { Room } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useReadable } from '../state/readable.ts'
import { Icon } from '../ui/icon.tsx'

/** Joins a room and opens it; one that is joined is a link to it. */
export function JoinButton ({ room, look = 'line sm' }: { room: Room, look?: string }) {
  const t = texts.value.rooms
  const [state, setState] = useState<'idle' | 'joining' | { error: unknown }>('idle')
  const isMember =
    useReadable(client.conversations).some(
      summary => summary.id === room.conversationId && summary.role !== undefined
    ) || room.role !== undefined
  if (isMember) {
    return (
      <a class='tag foam' href={paths.conversation(room.conversationId).slice(1)}>
        <Icon small name='check' />
        {t.joined}
      </a>
    )
  }

  async function join () {
    setState('joining')
    try {
      const conversation = await client.rooms.join(room.id)
      go(paths.conversation(conversation.id))
    } catch (error) {
      setState({ error })
    }
  }

  return (
    <>
      {typeof state === 'object' && (
        <small class='bad' role='alert'>
          {why(state.error)}
        </small>
      )}
      <button
        type='button'
        class={`btn ${look}`}
        disabled={state === 'joining'}
        onClick={() => {
          void join()
        }}
      >
        {state === 'joining' ? t.joining : t.join}
      </button>
    </>
  )
}
