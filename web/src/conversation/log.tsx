import type { Message, Timeline } from '@tidelog/client'
import type { RefObject } from 'preact'
import { useMemo, useRef } from 'preact/hooks'
import { clockTime, dayName } from '../i18n/dates.ts'
import { texts } from '../i18n/index.ts'
import { isAway } from '../state/away.ts'
import { why } from '../state/failures.ts'
import { useReadable } from '../state/readable.ts'
import { Trouble } from '../ui/fields.tsx'
import { Icon } from '../ui/icon.tsx'
import { type Point, pointOf } from '../ui/menu.tsx'
import { MessageRow } from './message.tsx'
import { EventsRow } from './system-rows.tsx'
import { firstUnreadOf, type Row, rowsOf } from './rows.ts'
import type { Log } from './use-log.ts'
import { useGestures } from './gestures.ts'

export type Act =
  | 'select' | 'reply' | 'edit' | 'menu' | 'pick' | 'react' | 'retry' | 'cancel' | 'delete' | 'original' | 'view'
/**
 * @param more the emoji of a reaction; the place of a file; `range` of a choice that reaches from the last one
 * @param at where the pointer asked for it
 */
export type OnAct = (act: Act, message: Message, element: HTMLElement, more?: string, at?: Point) => void

/** The messages, each in its row; keys and pointer act on the row they are at. */
export function LogView ({
  timeline,
  log,
  scroller,
  onAct,
  isDirect,
  picked
}: {
  timeline: Timeline
  log: Log
  scroller: RefObject<HTMLDivElement | null>
  onAct: OnAct
  isDirect: boolean
  /** Messages are being chosen: these. */
  picked: ReadonlySet<string> | undefined
}) {
  const t = texts.value.chat
  const isOffline = isAway.value
  const hasOlder = useReadable(timeline.hasOlder)
  const loading = useReadable(timeline.loading)
  const { messages, range } = log
  const firstUnread = firstUnreadOf(messages, log.unreadAfter)?.key
  const rows = useMemo(
    () => rowsOf(messages, range.from, range.to, { firstUnread, hasOlder, isOffline }),
    [messages, range, firstUnread, hasOlder, isOffline]
  )
  const byId = useMemo(() => new Map(messages.map(message => [message.id, message])), [messages])
  const { unread, found } = log
  // The same elements: what did not change is not looked at again when only something around the log did.
  const drawn = useMemo(
    () => rows.map(row => (
      <RowView
        key={row.key}
        row={row}
        unread={unread}
        found={found}
        byId={byId}
        isDirect={isDirect}
        picked={picked}
      />
    )),
    [rows, unread, found, byId, isDirect, picked]
  )
  const isEmpty = messages.length === 0 && !loading.older && !loading.newer
  const content = useRef<HTMLDivElement>(null)
  useGestures(content, (act, element) => {
    dispatch(act, element)
  })

  return (
    <div
      ref={scroller}
      class={`scroll log-scroll${messages.length === 0 ? ' empty' : ''}`}
      tabIndex={0}
      role='log'
      aria-live='off'
      aria-label={t.messages}
      onScroll={log.onScroll}
      onKeyDown={onKeyDown}
    >
      <div
        ref={content}
        class={`col log${isDirect ? ' dm' : ''}${picked === undefined ? '' : ' picking'}`}
        onClick={onClick} onContextMenu={onContextMenu}
      >
        {loading.error !== undefined && (
          <Trouble
            text={why(loading.error)}
            onRetry={() => {
              void timeline.loadOlder().catch(() => undefined)
            }}
          />
        )}
        {isEmpty && <p class='small muted nothing'>{t.empty}</p>}
        {drawn}
      </div>
    </div>
  )

  function messageAt (element: Element | null): { message: Message; row: HTMLElement } | undefined {
    const row = element?.closest<HTMLElement>('article:not([data-keys])')
    const message = row == null ? undefined : messages.find(candidate => candidate.key === row.dataset['key'])
    return row == null || message === undefined ? undefined : { message, row }
  }

  function dispatch (act: Act, element: HTMLElement): void {
    const at = messageAt(element)
    if (at !== undefined) onAct(act, at.message, element, element.dataset['emoji'] ?? element.dataset['index'])
  }

  function onClick (event: MouseEvent): void {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-act]') : null
    const isChoice =
      picked !== undefined || ((event.ctrlKey || event.metaKey) && getSelection()?.isCollapsed !== false)
    const at = isChoice && event.target instanceof Element && event.target.closest('a') === null
      ? messageAt(event.target)
      : undefined
    if (at !== undefined) onAct('select', at.message, at.row, event.shiftKey ? 'range' : undefined)
    else if (button !== null) dispatch(button.dataset['act'] as Act, button)
  }

  function onContextMenu (event: MouseEvent): void {
    // A selection, a link and a finger have menus of their own.
    if (
      !(event.target instanceof Element) ||
      event.target.closest('a') !== null ||
      getSelection()?.isCollapsed === false ||
      matchMedia('(hover: none)').matches
    ) { return }
    const at = messageAt(event.target)
    if (at === undefined || at.message.isDeleted) return
    event.preventDefault()
    onAct('menu', at.message, at.row, undefined, pointOf(event))
  }

  function onKeyDown (event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    // A button and a player have keys of their own.
    if (event.target instanceof HTMLButtonElement || event.target instanceof HTMLMediaElement) return
    const at = messageAt(document.activeElement)
    const act = keys[event.key]
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown') step(at?.row, event.key === 'ArrowUp' ? -1 : 1)
    else if (event.key === 'Home') log.toUnread()
    else if (event.key === 'End') log.toNewest()
    else if (act !== undefined && at !== undefined && !at.message.isDeleted) onAct(act, at.message, at.row)
    else return
    event.preventDefault()
  }

  /** Moves the focus to the next row; from the log itself to the last one. */
  function step (from: HTMLElement | undefined, by: 1 | -1): void {
    const all = [...(content.current?.querySelectorAll<HTMLElement>('article') ?? [])]
    const next = from === undefined ? all.at(-1) : all[all.indexOf(from) + by]
    next?.focus({ preventScroll: true })
    next?.scrollIntoView({ block: 'nearest' })
  }
}

/** A wave that runs out. */
const ebbing = 'M0 6q6 -10 12 0q6 6 12 0q6 -3.6 12 0q6 2.16 12 0q6 -1.3 12 0q6 0.78 12 0q6 -0.47 12 0q6 0.28 12 0'

/** Keys on a message that has the focus. */
const keys: Record<string, Act> = {
  x: 'select', r: 'reply', e: 'pick', Delete: 'delete', Enter: 'menu', ContextMenu: 'menu'
}

function RowView ({
  row,
  unread,
  found,
  byId,
  isDirect,
  picked
}: {
  row: Row
  unread: number
  found: string | undefined
  byId: Map<string | undefined, Message>
  isDirect: boolean
  picked: ReadonlySet<string> | undefined
}) {
  const t = texts.value.chat
  switch (row.kind) {
    case 'day':
      return (
        <div class='cut-line' role='separator'>
          <span class='g' />
          <time>{dayName(row.at)}</time>
        </div>
      )
    case 'unread': {
      return (
        <div class='cut-line unread' role='separator' data-line='unread' aria-label={t.newMessages(unread)}>
          <span class='g'>
            <span class='badge'>{unread}</span>
          </span>
          {row.since === undefined || isDirect ? t.new : t.newSince(clockTime(row.since))}
          <svg class='wave' viewBox='0 0 96 12' aria-hidden='true'>
            <path d={ebbing} />
          </svg>
        </div>
      )
    }
    case 'waiting':
      return (
        <div class='cut-line ebb' role='separator'>
          <span class='g'>
            <Icon name='cloudOff' />
          </span>
          {t.waiting}
        </div>
      )
    case 'events':
      return <EventsRow id={row.key} messages={row.messages} />
    case 'message': {
      const { message } = row
      return (
        <MessageRow
          message={message}
          isFirst={row.isFirst}
          hasMore={row.hasMore}
          isDirect={isDirect}
          isFound={found === row.key}
          isPicked={picked?.has(row.key)}
          original={message.replyTo === undefined || message.isDeleted ? null : byId.get(message.replyTo.id)}
        />
      )
    }
  }
}
