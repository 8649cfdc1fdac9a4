import type { User } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { PeoplePicker } from './people-picker.tsx'
import { RoomForm } from './room-form.tsx'

/** A new room, with its first people. */
export function CreateRoom ({ onClose }: { onClose: () => void }) {
  const t = texts.value.rooms
  const [room, setRoom] = useState({ name: '', isPrivate: false, history: 'all' as 'all' | 'joined' })
  const [people, setPeople] = useState<User[]>([])
  const [error, setError] = useState<string>()
  const [isBusy, setBusy] = useState(false)

  async function create () {
    setBusy(true)
    setError(undefined)
    try {
      const made = await client.rooms.create({ ...room, name: room.name.trim() })
      await Promise.allSettled(people.map(user => client.rooms.setMember(made.id, user.id, 'member')))
      go(paths.conversation(made.conversationId), { replace: true })
    } catch (failure) {
      setError(why(failure))
      setBusy(false)
    }
  }

  return (
    <form
      class='create'
      onSubmit={event => {
        event.preventDefault()
        void create()
      }}
    >
      <div class='form scroll'>
        <RoomForm room={room} onChange={setRoom} error={error} />
        <PeoplePicker chosen={people} onChange={setPeople} />
      </div>
      <footer class='foot'>
        <span class='grow' />
        <button type='button' class='btn bare' onClick={onClose}>
          {texts.value.app.cancel}
        </button>
        <button class='btn main' disabled={isBusy || room.name.trim() === ''}>
          {t.createRoom}
        </button>
      </footer>
    </form>
  )
}
