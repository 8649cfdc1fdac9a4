import type { Message, Page, Room, User } from '@tidelog/client'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { shortWhen } from '../i18n/dates.ts'
import { texts } from '../i18n/index.ts'
import { go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { type Loaded, useLater, useLoad, useSettled } from '../state/load.ts'
import { myId, nameOf, useUser } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { findRooms } from '../state/rooms.ts'
import { Avatar, RoomMark } from '../ui/avatar.tsx'
import { Bones, Find, Trouble } from '../ui/fields.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Marked, snippet } from './marked.tsx'

type Kind = 'all' | 'messages' | 'rooms' | 'people'
interface Found {
  rooms: Room[]
  people: User[]
  messages: Page<Message>
}

/** Finds messages, people and rooms by their words. */
export function Search ({ q, within }: { q: string; within: string | undefined }) {
  const t = texts.value.search
  const [query, setQuery] = useState(q)
  const [kind, setKind] = useState<Kind>('all')
  const asked = useSettled(query.trim(), 200)
  useEffect(() => {
    go(paths.search(asked, within), { replace: true })
  }, [asked, within])
  const found = useLoad<Found | undefined>(`${within ?? ''} ${asked}`, signal =>
    asked === '' ? Promise.resolve(undefined) : find(asked, within, signal)
  )
  return (
    <main class='pane main' aria-label={t.title}>
      <PageHead>
        <h1 class='vh'>{t.title}</h1>
        <Find label={t.title} placeholder={t.placeholder} value={query} onInput={setQuery} autofocus />
      </PageHead>
      <div class='scroll' tabIndex={-1}>
        <div class='col results'>
          <Chips
            kind={kind}
            onKind={setKind}
            within={within}
            onAnywhere={() => {
              go(paths.search(query), { replace: true })
            }}
          />
          {asked === ''
            ? (
              <p class='calm'>{t.hint}</p>
              )
            : (
              <Results found={found} kind={kind} query={asked} within={within} />
              )}
        </div>
      </div>
    </main>
  )
}

async function find (text: string, within: string | undefined, signal: AbortSignal): Promise<Found> {
  const [rooms, people, messages] = await Promise.all([
    within === undefined ? findRooms(text, 6, signal) : [],
    within === undefined ? client.users.search(text, { limit: 6, signal }) : { items: [] },
    client.search({ text, limit: 30, signal, ...(within === undefined ? {} : { conversationId: within }) })
  ])
  return { rooms, people: people.items, messages }
}

function Chips ({
  kind,
  onKind,
  within,
  onAnywhere
}: {
  kind: Kind
  onKind: (kind: Kind) => void
  within: string | undefined
  onAnywhere: () => void
}) {
  const t = texts.value.search
  const kinds: Array<[Kind, string]> =
    within === undefined
      ? [
          ['all', t.all],
          ['messages', t.messages],
          ['rooms', t.rooms],
          ['people', t.people]
        ]
      : []
  return (
    <div class='chips'>
      {kinds.map(([key, text]) => (
        <button
          key={key}
          type='button'
          class='chip'
          aria-pressed={kind === key}
          onClick={() => {
            onKind(key)
          }}
        >
          {text}
        </button>
      ))}
      {within !== undefined && <Within id={within} onAnywhere={onAnywhere} />}
    </div>
  )
}

function Within ({ id, onAnywhere }: { id: string; onAnywhere: () => void }) {
  const t = texts.value.search
  const title = useTitle(id)
  return (
    <>
      <button type='button' class='chip' aria-pressed={false} onClick={onAnywhere}>
        {t.anywhere}
      </button>
      <button type='button' class='chip' aria-pressed dir='auto'>
        {t.here(title)}
      </button>
    </>
  )
}

function Results ({
  found,
  kind,
  query,
  within
}: {
  found: Loaded<Found | undefined>
  kind: Kind
  query: string
  within: string | undefined
}) {
  const t = texts.value.search
  const { value } = found
  const isSlow = useLater(found.isLoading && value === undefined, 300)
  const [more, setMore] = useState<Page<Message>>({ items: [] })
  useEffect(() => {
    setMore({ items: [], cursor: value?.messages.cursor })
  }, [value])
  const words = useMemo(() => query.split(/\s+/u).filter(word => word !== ''), [query])
  if (found.error !== undefined) return <Trouble text={why(found.error)} onRetry={found.again} />
  if (value === undefined) return isSlow ? <Bones /> : null
  const rooms = kind === 'people' || kind === 'messages' ? [] : value.rooms
  const people = kind === 'rooms' || kind === 'messages' ? [] : value.people
  const messages = kind === 'people' || kind === 'rooms' ? [] : [...value.messages.items, ...more.items]
  if (rooms.length + people.length + messages.length === 0) {
    return (
      <p class='calm' role='status'>
        {t.nothing(query)}
      </p>
    )
  }

  async function older () {
    const page = await client.search({
      text: query,
      limit: 30,
      ...(within === undefined ? {} : { conversationId: within }),
      ...(more.cursor === undefined ? {} : { cursor: more.cursor })
    })
    setMore({ items: [...more.items, ...page.items], cursor: page.cursor })
  }

  return (
    <>
      {rooms.length + people.length > 0 && <h2>{t.roomsAndPeople}</h2>}
      <div class='pairs'>
        {rooms.map(room => (
          <a key={room.id} class='item' href={paths.conversation(room.conversationId).slice(1)}>
            <RoomMark kind='room' isPrivate={room.isPrivate} picture={room.picture} size='md' />
            <span class='grow'>
              <b class='cut' dir='auto'>
                <Marked text={room.name} words={words} />
              </b>
              <small>{texts.value.rooms.members(room.memberCount)}</small>
            </span>
          </a>
        ))}
        {people
          .filter(user => user.id !== myId())
          .map(user => (
            <a key={user.id} class='item' href={paths.conversation(client.direct(user.id).id).slice(1)}>
              <Avatar user={user} id={user.id} size='md' />
              <span class='grow'>
                <b class='cut' dir='auto'>
                  <Marked text={user.fullName} words={words} />
                </b>
                <small>
                  @<Marked text={user.username} words={words} />
                </small>
              </span>
            </a>
          ))}
      </div>
      {messages.length > 0 && <h2>{t.messages}</h2>}
      {messages.map(message => (
        <Hit key={message.key} message={message} words={words} />
      ))}
      {messages.length > 0 && more.cursor !== undefined && (
        <p class='older'>
          <button
            type='button'
            class='btn bare sm'
            onClick={() => {
              void older().catch(() => undefined)
            }}
          >
            {t.more}
          </button>
        </p>
      )}
    </>
  )
}

function Hit ({ message, words }: { message: Message; words: string[] }) {
  const t = texts.value.search
  const sender = useUser(message.senderId)
  const title = useTitle(message.conversationId)
  const isDirect = message.conversationId.startsWith('dm_')
  const where = isDirect ? (message.isOwn ? t.withWhom(title) : t.toYou) : t.in(title)
  return (
    <a class='hit' href={paths.conversation(message.conversationId, { seq: message.seq }).slice(1)}>
      <Avatar user={sender} id={message.senderId} size='md' />
      <span class='grow'>
        <span class='head'>
          <b dir='auto'>{nameOf(sender)}</b>
          <span class='muted'>{where}</span>
          <time>{shortWhen(message.createdAt)}</time>
        </span>
        <span class='text' dir='auto'>
          <Marked text={snippet(message.text.replace(/`{1,3}/g, ''), words)} words={words} />
        </span>
      </span>
    </a>
  )
}

/** The name of a conversation. */
function useTitle (id: string): string {
  const summary = useReadable(useMemo(() => client.conversation(id).summary, [id]))
  const user = useUser(summary?.userId)
  if (summary?.kind === 'common' || id === client.common.id) return texts.value.app.common
  return user === undefined ? (summary?.title ?? '…') : nameOf(user)
}
