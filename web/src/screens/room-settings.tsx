import { useEffect, useMemo, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useLoad } from '../state/load.ts'
import { useReadable } from '../state/readable.ts'
import { RoomMark } from '../ui/avatar.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { Bones, Trouble } from '../ui/fields.tsx'
import { FormDialog } from '../ui/form.tsx'
import { usePictureChoice } from '../ui/picture-choice.tsx'
import { type RoomFields, RoomForm, toInput } from './room-form.tsx'

/** Changes a room, or deletes it, by those who may. */
export function RoomSettings ({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const t = texts.value
  const stored = useLoad(roomId, signal => client.rooms.get(roomId, { signal }))
  const [room, setRoom] = useState<RoomFields>()
  const [error, setError] = useState<string>()
  const [isSure, setSure] = useState(false)
  const summary = useReadable(useMemo(() => client.room(roomId), [roomId]).summary)
  const picture = usePictureChoice({ isRoom: true, save: file => client.rooms.setPicture(roomId, file) })
  useEffect(() => {
    if (stored.value !== undefined) {
      const { name, topic, description, isPrivate, history, postRole, slowModeS, systemMessages } = stored.value
      const rules = { postRole, slowModeS, systemMessages }
      setRoom({ name, topic: topic ?? '', description: description ?? '', isPrivate, history, rules })
    }
  }, [stored.value])

  async function save () {
    if (room !== undefined) await client.rooms.update(roomId, toInput(room))
  }

  function remove (): void {
    client.rooms.delete(roomId).then(
      () => {
        onClose()
        go(paths.home(), { replace: true })
      },
      (failure: unknown) => {
        setError(why(failure))
      }
    )
  }

  const deletes = (
    <button
      type='button'
      class='btn bare danger'
      onClick={() => {
        setSure(true)
      }}
    >
      {t.rooms.deleteRoom}
    </button>
  )
  return (
    <>
      <FormDialog
        title={t.rooms.settings}
        act={t.app.save}
        isComplete={room !== undefined && room.name.trim() !== ''}
        aside={stored.value?.role === 'owner' && deletes}
        onSave={save}
        onClose={onClose}
      >
        {saving => (
          <>
            {stored.error !== undefined && <Trouble text={why(stored.error)} onRetry={stored.again} />}
            {room === undefined && <Bones rows={3} />}
            {room !== undefined && picture.row(
              <RoomMark kind='room' isPrivate={room.isPrivate} picture={summary?.picture} size='xl' />, summary?.picture
            )}
            {room !== undefined && <RoomForm room={room} onChange={setRoom} error={saving ?? error} />}
          </>
        )}
      </FormDialog>
      {picture.dialog}
      {isSure && (
        <Confirm
          question={t.rooms.deleteSure}
          act={t.rooms.deleteRoom}
          onAct={remove}
          onClose={() => {
            setSure(false)
          }}
        />
      )}
    </>
  )
}
