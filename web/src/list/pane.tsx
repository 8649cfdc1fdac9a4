import type { Operation } from '@tidelog/client'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { go, lastConversation, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { useReadable } from '../state/readable.ts'
import { isWide } from '../state/view.ts'
import { Icon, IconButton, Logo } from '../ui/icon.tsx'
import { ConversationRow } from './row.tsx'
import { Tide } from './tide.tsx'

/** So many conversations are in the page at first, and so many come when the end is near. */
const pageRows = 100

/** All conversations, and the ways to what is not in the list. */
export function ListPane () {
  const t = texts.value.app
  return (
    <nav class='pane list' aria-label={t.conversations}>
      <header class='bar'>
        <span class='brand grow'>
          <Logo />
          {t.name}
        </span>
        {!isWide.value && (
          <IconButton
            name='search'
            label={t.search}
            onClick={() => {
              go(paths.search())
            }}
          />
        )}
        <IconButton
          name='hash'
          label={t.rooms}
          onClick={() => {
            go(paths.rooms())
          }}
        />
        {isWide.value
          ? (
            <IconButton
              name='compose'
              label={t.newMessage}
              onClick={() => {
                go(paths.new())
              }}
            />
            )
          : (
            <IconButton
              name='settings'
              label={t.settings}
              onClick={() => {
                go(paths.settings())
              }}
            />
            )}
      </header>
      {isWide.value && (
        <div class='pad'>
          <button
            type='button'
            class='find'
            onClick={() => {
              go(paths.search())
            }}
          >
            <Icon small name='search' />
            <span class='grow'>{t.search}</span>
            <kbd>{t.searchKeys}</kbd>
          </button>
        </div>
      )}
      <Rows />
      <Tide />
    </nav>
  )
}

function Rows () {
  const all = useReadable(client.conversations)
  const outbox = useReadable(client.outbox)
  const [shown, setShown] = useState(pageRows)
  const end = useRef<HTMLLIElement>(null)
  const failed = useMemo(
    () => new Map(outbox.filter(isFailedSend).map(operation => [operation.conversationId, operation])),
    [outbox]
  )
  const conversations = useMemo(() => all.filter(summary => !summary.settings.archived), [all])
  useEffect(() => {
    if (end.current === null) return
    const observer = new IntersectionObserver(
      entries => {
        if (entries.some(entry => entry.isIntersecting)) setShown(n => n + pageRows)
      },
      { rootMargin: '600px' }
    )
    observer.observe(end.current)
    return () => {
      observer.disconnect()
    }
  }, [shown, conversations.length])
  const written = conversations.filter(summary => summary.kind !== 'common').length
  return (
    <div class='scroll'>
      <ul class='rows'>
        {conversations.slice(0, shown).map(summary => (
          <ConversationRow
            key={summary.id}
            summary={summary}
            isCurrent={isWide.value && lastConversation.value === summary.id}
            failed={failed.get(summary.id)}
            isWide={isWide.value}
          />
        ))}
        {conversations.length > shown && <li ref={end} />}
      </ul>
      {written === 0 && <Ghosts />}
    </div>
  )
}

const isFailedSend = (operation: Operation): boolean => operation.state === 'failed' && operation.type === 'send'

function Ghosts () {
  return (
    <>
      {[0, 1, 2].map(at => (
        <div key={at} class='ghost' aria-hidden='true'>
          <i />
          <div>
            <i />
            <i />
          </div>
        </div>
      ))}
      <p class='small muted ghost-note'>{texts.value.list.empty}</p>
    </>
  )
}
