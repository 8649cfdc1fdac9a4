import type { Finding, Message, Room, User } from '@tidelog/client'
import { useEffect, useState } from 'preact/hooks'
import { shortWhen } from '../i18n/dates.ts'
import { texts } from '../i18n/index.ts'
import { type Filters, go, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { why } from '../state/failures.ts'
import { useLater, useLoad, useSettled } from '../state/load.ts'
import { myId, nameOf, useUser } from '../state/people.ts'
import { useReadable } from '../state/readable.ts'
import { findRooms } from '../state/rooms.ts'
import { Avatar, RoomMark } from '../ui/avatar.tsx'
import { Bones, Find, Trouble } from '../ui/fields.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Marked, snippet } from './marked.tsx'
import { RecentSearches } from './recent-searches.tsx'
import { FilterChips, useTitle } from './search-filters.tsx'
import { forgetSearch, isAsked, noteSearch, recentSearches, useFinding } from './search-state.ts'

/** Rooms and people that are shown above the messages. */
const pairsMax = 6

/** Finds messages, people and rooms by their words. */
export function Search ({ q, filters }: { q: string; filters: Filters }) {
  const t = texts.value.search
  const [query, setQuery] = useState(q)
  const [recent, setRecent] = useState(recentSearches)
  const asked = useSettled(query.trim(), 200)
  const narrowed = JSON.stringify(filters)
  useEffect(() => {
    go(paths.search(asked, filters), { replace: true })
  }, [asked])
  useEffect(() => {
    setQuery(q)
  }, [q])
  const note = () => {
    setRecent(noteSearch(asked))
  }
  return (
    <main class='pane main' aria-label={t.title}>
      <PageHead>
        <h1 class='vh'>{t.title}</h1>
        <Find
          label={t.title}
          placeholder={t.placeholder}
          value={query}
          onInput={setQuery}
          autofocus
          onKeyDown={event => {
            if (event.key === 'Enter' && !event.isComposing) setRecent(noteSearch(query))
          }}
        />
      </PageHead>
      <div class='scroll' tabIndex={-1}>
        <div class='col results'>
          <FilterChips
            filters={filters}
            onFilters={changed => {
              go(paths.search(query.trim(), changed), { replace: true })
            }}
          />
          {asked === '' && (
            <RecentSearches
              searches={recent}
              onSearch={setQuery}
              onRemove={text => {
                setRecent(forgetSearch(text))
              }}
            />
          )}
          {isAsked(asked, filters)
            ? (
              <>
                {narrowed === '{}' && <Pairs query={asked} onOpen={note} />}
                <Messages query={asked} filters={filters} onOpen={note} />
              </>
              )
            : (
              <p class='calm'>{narrowed === '{}' ? t.hint : t.wordsToo}</p>
              )}
        </div>
      </div>
    </main>
  )
}

/** Rooms and people whose names hold the words. */
function Pairs ({ query, onOpen }: { query: string; onOpen: () => void }) {
  const t = texts.value.search
  const { value } = useLoad<{ rooms: Room[]; people: User[] }>(query, async signal => {
    const [rooms, people] = await Promise.all([
      findRooms(query, pairsMax, signal), client.users.search(query, { limit: pairsMax, signal })
    ])
    return { rooms, people: people.items.filter(({ id }) => id !== myId()) }
  })
  if (value === undefined || value.rooms.length + value.people.length === 0) return null
  return (
    <>
      <h2>{t.roomsAndPeople}</h2>
      <div class='pairs' onClick={onOpen}>
        {value.rooms.map(room => (
          <a key={room.id} class='item' href={paths.conversation(room.conversationId).slice(1)}>
            <RoomMark kind='room' isPrivate={room.isPrivate} picture={room.picture} size='md' />
            <span class='grow'>
              <b class='cut' dir='auto'>
                <Marked text={room.name} query={query} />
              </b>
              <small>{texts.value.rooms.members(room.memberCount)}</small>
            </span>
          </a>
        ))}
        {value.people.map(user => (
          <a key={user.id} class='item' href={paths.conversation(client.direct(user.id).id).slice(1)}>
            <Avatar user={user} id={user.id} size='md' />
            <span class='grow'>
              <b class='cut' dir='auto'>
                <Marked text={user.fullName} query={query} />
              </b>
              <small>
                @<Marked text={user.username} query={query} />
              </small>
            </span>
          </a>
        ))}
      </div>
    </>
  )
}

/** What is held here at once, then what the server finds. */
function Messages ({ query, filters, onOpen }: { query: string; filters: Filters; onOpen: () => void }) {
  const t = texts.value.search
  const { finding, error } = useFinding(query, filters)
  const messages = useReadable(finding?.messages) ?? []
  const state: ReturnType<Finding['state']['get']> | undefined = useReadable(finding?.state)
  const isLoading = state?.loading ?? error === undefined
  const isSlow = useLater(isLoading && messages.length === 0, 300)
  const failure = error ?? state?.error
  return (
    <>
      {messages.length > 0 && <h2>{t.messages}</h2>}
      <div onClick={onOpen}>
        {messages.map(message => (
          <Hit key={message.key} message={message} query={query} />
        ))}
      </div>
      {isSlow && <Bones />}
      {failure !== undefined && (
        <Trouble
          text={why(failure)}
          onRetry={() => {
            void finding?.loadMore()
          }}
        />
      )}
      {failure === undefined && !isLoading && (
        state?.hasMore === true
          ? (
            <p class='older'>
              <button
                type='button'
                class='btn bare sm'
                onClick={() => {
                  void finding?.loadMore()
                }}
              >
                {t.more}
              </button>
            </p>
            )
          : messages.length === 0 && (
            <p class='calm' role='status'>
              {t.noMessage(query)}
            </p>
          )
      )}
    </>
  )
}

function Hit ({ message, query }: { message: Message; query: string }) {
  const t = texts.value.search
  const sender = useUser(message.senderId)
  const title = useTitle(message.conversationId)
  const isDirect = message.conversationId.startsWith('dm_')
  const where = isDirect ? (message.isOwn ? t.withWhom(title) : t.toYou) : t.in(title)
  const text = message.text.replace(/`{1,3}/g, '')
  const shown = text === '' ? message.attachments.map(({ name }) => name).join(', ') : snippet(text, query)
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
          <Marked text={shown} query={query} />
        </span>
      </span>
    </a>
  )
}
