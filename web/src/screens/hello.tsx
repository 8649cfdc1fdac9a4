import type { Room, User } from '@tidelog/client'
import { useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useLater, useLoad, useSettled } from '../state/load.ts'
import { myId } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { isWide } from '../state/view.ts'
import { RoomMark } from '../ui/avatar.tsx'
import { Bones, Find, Trouble } from '../ui/fields.tsx'
import { Icon } from '../ui/icon.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Person } from '../ui/person.tsx'
import { JoinButton } from './join-button.tsx'

/** Somebody or a room to write to: the first run, and every new conversation. */
export function Hello ({ isPage }: { isPage: boolean }) {
  const t = texts.value.hello
  const [query, setQuery] = useState('')
  const asked = useSettled(query.trim(), 150)
  return (
    <main class='pane main' aria-label={t.title}>
      {isPage && !isWide.value && (
        <PageHead>
          <h1 class='grow big'>{texts.value.app.newMessage}</h1>
        </PageHead>
      )}
      <div class='scroll'>
        <div class='hello'>
          <div>
            <svg class='art' viewBox='0 0 112 48' aria-hidden='true'>
              <path opacity='.45' d='M2 6h72' />
              <path opacity='.7' d='M2 24h44' />
              <path d='M2 40q7-9 14 0t14 0 14 0 14 0 14 0 14 0 14 0' />
            </svg>
            <h2>{t.title}</h2>
            <p class='muted'>{t.lead}</p>
          </div>
          <Find
            isLarge
            label={t.find}
            placeholder={t.placeholder}
            value={query}
            onInput={setQuery}
            autofocus={isPage}
          />
          {asked === '' ? <Suggestions /> : <People query={asked} />}
        </div>
      </div>
    </main>
  )
}

function People ({ query }: { query: string }) {
  const t = texts.value.hello
  const found = useLoad(query, async signal =>
    (await client.users.search(query, { signal, limit: 20 })).items.filter(user => user.id !== myId())
  )
  const isSlow = useLater(found.isLoading, 300)
  if (found.error !== undefined) return <Trouble text={why(found.error)} onRetry={found.again} />
  if (found.value === undefined) return isSlow ? <Bones rows={3} /> : null
  if (found.value.length === 0) {
    return (
      <p class='muted' role='status'>
        {t.nobody(query)}
      </p>
    )
  }
  return (
    <section class='box' aria-label={t.people}>
      {found.value.map(user => (
        <PersonItem key={user.id} user={user} />
      ))}
    </section>
  )
}

function PersonItem ({ user }: { user: User }) {
  return (
    <a class='item' href={paths.conversation(client.direct(user.id).id).slice(1)}>
      <Person user={user} id={user.id} note={`@${user.username}`} withPresence />
      <Icon small flip name='next' />
    </a>
  )
}

function Suggestions () {
  const t = texts.value.hello
  const rooms = useLoad<Room[]>(
    '',
    async signal => (await client.rooms.list({ signal, limit: 3, order: 'active' })).items
  )
  const connection = useReadable(client.connection)
  const isSlow = useLater(rooms.isLoading, 300)
  // What stands below the rooms appears with them, so that it never moves.
  const isKnown = rooms.value !== undefined || rooms.error !== undefined
  return (
    <>
      <section class='box'>
        <div class='item'>
          <RoomMark kind='common' />
          <span class='grow'>
            <b class='cut'>{texts.value.app.common}</b>
            <small class='cut'>{t.everyone}</small>
          </span>
          <button
            type='button'
            class='btn main sm'
            onClick={() => {
              go(paths.conversation(client.common.id))
            }}
          >
            {t.sayHello}
          </button>
        </div>
        {!isKnown && isSlow && <Bones rows={3} />}
        {rooms.value?.map(room => (
          <div key={room.id} class='item'>
            <RoomMark kind='room' isPrivate={room.isPrivate} picture={room.picture} />
            <span class='grow'>
              <b class='cut' dir='auto'>
                {room.name}
              </b>
              <small class='cut'>{texts.value.rooms.members(room.memberCount)}</small>
            </span>
            <JoinButton room={room} />
          </div>
        ))}
        {rooms.error !== undefined && connection.state === 'live' && (
          <Trouble text={why(rooms.error)} onRetry={rooms.again} />
        )}
        {isKnown && (
          <a class='item' href={paths.rooms().slice(1)}>
            <RoomMark kind='all' />
            <b class='grow'>{t.allRooms}</b>
            <Icon small flip name='next' />
          </a>
        )}
      </section>
      {isKnown && <p class='small muted'>{t.invitation}</p>}
    </>
  )
}
