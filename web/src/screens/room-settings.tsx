import { useEffect, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useLoad } from '../state/load.ts'
import { Confirm, Dialog, DialogHead } from '../ui/dialog.tsx'
import { Bones, Trouble } from '../ui/fields.tsx'
import { RoomForm } from './room-form.tsx'

/** Changes a room, or deletes it, by those who may. */
export function RoomSettings ({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const t = texts.value
  const stored = useLoad(roomId, signal => client.rooms.get(roomId, { signal }))
  const [room, setRoom] = useState<{ name: string; isPrivate: boolean; history: 'all' | 'joined' }>()
  const [error, setError] = useState<string>()
  const [isSure, setSure] = useState(false)
  useEffect(() => {
    if (stored.value !== undefined) {
      setRoom({ name: stored.value.name, isPrivate: stored.value.isPrivate, history: stored.value.history })
    }
  }, [stored.value])

  async function save () {
    if (room === undefined) return
    try {
      await client.rooms.update(roomId, { ...room, name: room.name.trim() })
      onClose()
    } catch (failure) {
      setError(why(failure))
    }
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

  return (
    <Dialog label={t.rooms.settings} onClose={onClose}>
      <DialogHead title={t.rooms.settings} onClose={onClose} />
      <form
        class='create'
        onSubmit={event => {
          event.preventDefault()
          void save()
        }}
      >
        <div class='form scroll'>
          {stored.error !== undefined && <Trouble text={why(stored.error)} onRetry={stored.again} />}
          {room === undefined ? <Bones rows={3} /> : <RoomForm room={room} onChange={setRoom} error={error} />}
        </div>
        <footer class='foot'>
          {stored.value?.role === 'owner' && (
            <button
              type='button'
              class='btn bare danger'
              onClick={() => {
                setSure(true)
              }}
            >
              {t.rooms.deleteRoom}
            </button>
          )}
          <span class='grow' />
          <button type='button' class='btn bare' onClick={onClose}>
            {t.app.cancel}
          </button>
          <button class='btn main' disabled={room === undefined || room.name.trim() === ''}>
            {t.app.save}
          </button>
        </footer>
      </form>
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
    </Dialog>
  )
}
