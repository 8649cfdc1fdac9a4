import type { Operation, Summary } from '@tidelog/client'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { texts } from '../i18n/index.ts'
import { go, lastConversation, paths } from '../router.ts'
import { client } from '../state/client.ts'
import { useReadable } from '../state/readable.ts'
import { isWide } from '../state/view.ts'
import { Icon, IconButton, Logo } from '../ui/icon.tsx'
import { Menu, type Point, pointOf } from '../ui/menu.tsx'
import { settingItems } from '../conversation/setting-items.ts'
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
  const [showsArchive, setShowsArchive] = useState(false)
  const [menu, setMenu] = useState<{ summary: Summary; anchor: Element; at: Point | undefined }>()
  const failed = useMemo(
    () => new Map(outbox.filter(isFailedSend).map(operation => [operation.conversationId, operation])),
    [outbox]
  )
  const [archived, shown] = useMemo(() => halves(all, summary => summary.settings.archived), [all])
  const { visible, end } = useGrowing(shown)
  const written = all.filter(summary => summary.kind !== 'common').length
  const row = (summary: Summary) => (
    <ConversationRow
      key={summary.id}
      summary={summary}
      isCurrent={isWide.value && lastConversation.value === summary.id}
      failed={failed.get(summary.id)}
      isWide={isWide.value}
    />
  )

  /** Right click, the menu key, a long press, or the button at the row. */
  function openMenu (event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null
    if (event.type === 'click' && target?.closest('[data-act=menu]') == null) return
    const item = target?.closest<HTMLElement>('[data-id]')
    const summary = all.find(({ id }) => id === item?.dataset['id'])
    if (item == null || summary === undefined) return
    event.preventDefault()
    const anchor = target?.closest('[data-act=menu]') ?? item.querySelector('a') ?? item
    setMenu({ summary, anchor, at: pointOf(event) })
  }

  return (
    <div class='scroll' onClick={openMenu} onContextMenu={openMenu}>
      <ul class='rows'>
        {visible.map(row)}
        {shown.length > visible.length && <li ref={end} />}
      </ul>
      {archived.length > 0 && (
        <button
          type='button'
          class='archive'
          aria-expanded={showsArchive}
          onClick={() => {
            setShowsArchive(!showsArchive)
          }}
        >
          <Icon small name='archive' />
          <span class='grow'>{texts.value.settle.archived(archived.length)}</span>
          <Icon small name={showsArchive ? 'up' : 'below'} />
        </button>
      )}
      {showsArchive && <ul class='rows'>{archived.map(row)}</ul>}
      {written === 0 && <Ghosts />}
      {menu !== undefined && (
        <Menu
          anchor={menu.anchor}
          at={menu.at}
          label={texts.value.app.more}
          items={settingItems(client.conversation(menu.summary.id), menu.summary)}
          onClose={() => {
            setMenu(undefined)
          }}
        />
      )}
    </div>
  )
}

/** The first ones of a long list, and more as the end comes near. */
function useGrowing<T> (all: readonly T[]) {
  const [count, setCount] = useState(pageRows)
  const end = useRef<HTMLLIElement>(null)
  useEffect(() => {
    if (end.current === null) return
    const observer = new IntersectionObserver(
      entries => {
        if (entries.some(entry => entry.isIntersecting)) setCount(n => n + pageRows)
      },
      { rootMargin: '600px' }
    )
    observer.observe(end.current)
    return () => {
      observer.disconnect()
    }
  }, [count, all.length])
  return { visible: all.slice(0, count), end }
}

/** Those for which `is` holds, and the others. */
function halves<T> (all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter(one => !is(one))]
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
