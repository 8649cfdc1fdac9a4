import type { Page, Room } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { back, lastConversation, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useLater, useLoad, useSettled } from '../state/load.ts'
import { findRooms } from '../state/rooms.ts'
import { RoomMark } from '../ui/avatar.tsx'
import { Dialog, DialogHead } from '../ui/dialog.tsx'
import { Bones, Find, Segments, Trouble } from '../ui/fields.tsx'
import { CreateRoom } from './create-room.tsx'
import { JoinButton } from './join-button.tsx'

type Tab = 'browse' | 'create'

/** All rooms that one may see, and a new one. */
export function Rooms () {
  const t = texts.value.rooms
  const [tab, setTab] = useState<Tab>('browse')
  const [query, setQuery] = useState('')
  const close = () => {
    back(lastConversation.value === undefined ? paths.home() : paths.conversation(lastConversation.value))
  }
  return (
    <Dialog label={t.title} onClose={close}>
      <DialogHead title={t.title} onClose={close} />
      <div class='tabs'>
        <Segments
          role='tablist'
          label={t.title}
          value={tab}
          onChange={setTab}
          options={[
            ['browse', t.browse],
            ['create', t.create]
          ]}
        />
        {tab === 'browse' && <Find label={t.find} placeholder={t.find} value={query} onInput={setQuery} autofocus />}
      </div>
      {tab === 'browse' ? <Browse query={query} /> : <CreateRoom onClose={close} />}
    </Dialog>
  )
}

function Browse ({ query }: { query: string }) {
  const t = texts.value.rooms
  const asked = useSettled(query.trim(), 150)
  const [pages, setPages] = useState<{ asked: string; items: Room[]; cursor: string | undefined }>()
  const first = useLoad<Page<Room>>(asked, async signal => asked === ''
    ? await client.rooms.list({ signal, limit: 50, order: 'name' })
    : { items: await findRooms(asked, 50, signal) }
  )
  const isSlow = useLater(first.isLoading && first.value === undefined, 300)
  const more = pages?.asked === asked ? pages : undefined
  const rooms = [...(first.value?.items ?? []), ...(more?.items ?? [])]
  const cursor = more === undefined ? first.value?.cursor : more.cursor

  async function loadMore () {
    if (cursor === undefined) return
    const page = await client.rooms.list({ limit: 50, order: 'name', cursor })
    setPages({ asked, items: [...(more?.items ?? []), ...page.items], cursor: page.cursor })
  }

  return (
    <>
      <div
        class='items scroll'
        tabIndex={-1}
        onScroll={event => {
          if (event.currentTarget.scrollHeight - event.currentTarget.scrollTop < event.currentTarget.clientHeight * 2) {
            void loadMore().catch(() => undefined)
          }
        }}
      >
        {first.error !== undefined && <Trouble text={why(first.error)} onRetry={first.again} />}
        {isSlow && <Bones />}
        {first.value !== undefined && rooms.length === 0 && (
          <p class='calm' role='status'>
            {asked === '' ? t.none : t.noneFound(asked)}
          </p>
        )}
        {rooms.map(room => (
          <RoomItem key={room.id} room={room} />
        ))}
      </div>
      <footer class='foot'>
        <span class='small muted grow'>
          {first.value !== undefined && cursor === undefined ? `${t.count(rooms.length)} ` : ''}
          {t.privateHint}
        </span>
      </footer>
    </>
  )
}

function RoomItem ({ room }: { room: Room }) {
  const t = texts.value.rooms
  const members = t.members(room.memberCount)
  return (
    <div class='item'>
      <RoomMark kind='room' isPrivate={room.isPrivate} picture={room.picture} />
      <span class='grow'>
        <b class='cut' dir='auto'>
          {room.name}
        </b>
        <small class='cut'>{room.isPrivate ? t.private(members) : members}</small>
      </span>
      <JoinButton room={room} />
    </div>
  )
}
