import { texts } from '../i18n/index.ts'
import { paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useLater, useLoad } from '../state/load.ts'
import { isWide } from '../state/view.ts'
import { JoinButton } from '../screens/join-button.tsx'
import { RoomMark } from '../ui/avatar.tsx'
import { Bones, Trouble } from '../ui/fields.tsx'
import { PageHead } from '../ui/page-head.tsx'

/** A room that one is not in, as a search or a link leads there: what it is, and the way in. */
export function Outside ({ id }: { id: string }) {
  const t = texts.value.rooms
  const { value: room, error, isLoading, again } =
    useLoad(id, signal => client.rooms.get(id.slice('room_'.length), { signal }))
  // A member waits for what the next sync brings.
  const isSlow = useLater(isLoading || room?.role !== undefined, 300)
  const isGone = (error as { code?: string } | undefined)?.code === 'NOT_FOUND'
  return (
    <main class='pane main' aria-label={room?.name ?? t.title}>
      {!isWide.value && <PageHead><h1 class='grow big cut' dir='auto'>{room?.name ?? t.title}</h1></PageHead>}
      <div class='scroll'>
        <div class='hello'>
          {isSlow && <Bones rows={3} />}
          {error !== undefined && !isGone && <Trouble text={why(error)} onRetry={again} />}
          {isGone && <p role='alert'>{t.notThere}</p>}
          {isGone && <p><a class='btn line' href={paths.rooms().slice(1)}>{texts.value.hello.allRooms}</a></p>}
          {room !== undefined && room.role === undefined && (
            <>
              <RoomMark kind='room' isPrivate={room.isPrivate} picture={room.picture} size='xl' />
              <div>
                <h2 dir='auto'>{room.name}</h2>
                <p class='muted'>{[t.members(room.memberCount), room.topic ?? ''].filter(Boolean).join(' · ')}</p>
              </div>
              {room.description !== null && <p dir='auto'>{room.description}</p>}
              <p><JoinButton room={room} look='main lg' /></p>
            </>
          )}
        </div>
      </div>
    </main>
  )
}
