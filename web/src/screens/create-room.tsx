import type { User } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { Form } from '../ui/form.tsx'
import { PeoplePicker } from './people-picker.tsx'
import { type RoomFields, RoomForm, noFields, toInput } from './room-form.tsx'

/** A new room, with its first people. */
export function CreateRoom ({ onClose }: { onClose: () => void }) {
  const [room, setRoom] = useState<RoomFields>(noFields)
  const [people, setPeople] = useState<User[]>([])

  async function create () {
    const made = await client.rooms.create({ ...toInput(room), systemMessages: true })
    await Promise.allSettled(people.map(user => client.rooms.setMember(made.id, user.id, 'member')))
    go(paths.conversation(made.conversationId), { replace: true })
  }

  return (
    <Form act={texts.value.rooms.createRoom} isComplete={room.name.trim() !== ''} onSave={create} onClose={onClose}>
      {error => (
        <>
          <RoomForm room={room} onChange={setRoom} error={error} />
          <PeoplePicker chosen={people} onChange={setPeople} />
        </>
      )}
    </Form>
  )
}
