import type { Conversation, Message, Timeline } from '@tidelog/client'
import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks'
import { isAborted } from '../state/failures.ts'
import { visits } from '../router.ts'
import { useReadable } from '../state/readable.ts'
import { type Anchor, firstVisible, fromEnd, lastVisibleKey, restore, rowOf } from './anchor.ts'
import { countNew, firstUnreadOf } from './rows.ts'
import { around, atEnd, carry, newer, older, type Range } from './window.ts'

/** Where to go as soon as it is in the page. */
type Target = { to: 'end' } | { to: 'unread' } | { to: 'message'; key: string; isFound: boolean }

/** Pixels from the end within which the reader is at the end, and sees what arrives. */
const endPx = 24

/** Pixels from either end of the page within which more of the conversation is brought into it. */
const nearOf = (scroller: HTMLElement): number => scroller.clientHeight * 1.5

export interface Log {
  range: Range
  messages: readonly Message[]
  /** The unread line goes behind this seq. */
  unreadAfter: number | null
  /** Others' messages below the unread line. */
  unread: number
  /** Others' messages below, not seen yet. */
  below: number
  isAtEnd: boolean
  /** The message that a search or a quote has led to. */
  found: string | undefined
  onScroll: () => void
  toNewest: () => void
  toUnread: () => void
  /** Shows a message; false if it is not there. */
  toSeq: (seq: number) => Promise<boolean>
}

/** The sliding window on a timeline: which messages are in the page, and that nothing which is read ever moves. */
export function useLog (
  conversation: Conversation,
  timeline: Timeline,
  scrollerRef: { current: HTMLElement | null },
  at: number | undefined
): Log {
  const messages = useReadable(timeline.messages)
  const hasNewer = useReadable(timeline.hasNewer)
  const [, redraw] = useReducer((n: number) => n + 1, 0)
  const state = useRef<State>(undefined)
  state.current ??= {
    unread: timeline.unreadAfter === null ? 0 : conversation.summary.get()?.unreadCount ?? 0,
    shown: [],
    range: { from: 0, to: 0 },
    target: { to: 'unread' },
    anchor: undefined,
    isAtEnd: false,
    seenSeq: 0,
    lineAfter: undefined,
    awayAfter: undefined,
    found: undefined,
    isBusy: false
  }
  const log = state.current
  const drawn = scrollerRef.current

  // Drawing: what is seen now must be seen at the same place afterwards.
  if (messages !== log.shown) {
    const carried = carry(log.shown, messages, log.range, log.isAtEnd && !hasNewer)
    if (carried === undefined || log.shown.length === 0) {
      log.range = rangeFor(log.target ?? { to: 'end' }, messages, timeline.unreadAfter)
    } else log.range = carried
    noteAbsence(log, messages)
    log.shown = messages
  }
  const anchor = drawn === null || log.target !== undefined || log.isAtEnd ? undefined : firstVisible(drawn)

  useLayoutEffect(() => {
    const scroller = scrollerRef.current
    if (scroller === null || messages.length === 0) return
    if (log.target !== undefined) {
      if (reach(scroller, log)) log.target = undefined
    } else if (log.isAtEnd) scroller.scrollTop = scroller.scrollHeight
    else restore(scroller, anchor)
    log.anchor = firstVisible(scroller)
    look()
    // Messages that came in above those that fill the page are shown too; nobody could scroll to them.
    if (log.target === undefined && scroller.scrollTop < nearOf(scroller) && log.range.from > 0) {
      log.range = older(log.range)
      redraw(undefined)
    }
  })

  useSizes(scrollerRef, timeline, messages.length === 0, scroller => {
    if (log.isAtEnd) scroller.scrollTop = scroller.scrollHeight
    else restore(scroller, log.anchor)
    look()
  })

  useEffect(() => {
    if (at === undefined) return
    void toSeq(at)
  }, [at, visits.value])

  useAttention(timeline, isThere => {
    if (isThere) log.awayAfter = undefined
    else if (log.isAtEnd) log.awayAfter ??= lastSeq(messagesNow())
    look()
  })

  log.unread = Math.max(log.unread, lineOf(log, timeline) === null ? 0 : countNew(messages, lineOf(log, timeline) ?? 0))
  return {
    range: log.range,
    unread: log.unread,
    messages,
    unreadAfter: lineOf(log, timeline),
    below: hasNewer
      ? Math.max(conversation.summary.get()?.unreadCount ?? 0, countNew(messages, log.seenSeq))
      : countNew(messages, log.seenSeq),
    isAtEnd: log.isAtEnd && !hasNewer,
    found: log.found,
    onScroll,
    toNewest,
    toUnread,
    toSeq
  }

  function messagesNow (): readonly Message[] {
    return timeline.messages.get()
  }

  function onScroll (): void {
    const scroller = scrollerRef.current
    if (scroller === null || log.target !== undefined) return
    look()
    log.anchor = firstVisible(scroller)
    const near = nearOf(scroller)
    if (scroller.scrollTop < near) more('older')
    if (fromEnd(scroller) < near) more('newer')
  }

  /** Brings rows from the list into the page, or, if it has no more, messages into the list. */
  function more (direction: 'older' | 'newer'): void {
    const next = direction === 'older' ? older(log.range) : newer(log.range, messagesNow().length)
    if (next.from !== log.range.from || next.to !== log.range.to) {
      log.range = next
      redraw(undefined)
      return
    }
    const isMore = direction === 'older' ? timeline.hasOlder.get() : timeline.hasNewer.get()
    if (!isMore || log.isBusy) return
    log.isBusy = true
    const loading = direction === 'older' ? timeline.loadOlder() : timeline.loadNewer()
    loading
      .catch(() => undefined)
      .finally(() => {
        log.isBusy = false
        redraw(undefined)
      })
  }

  /** Notes how far the reader has seen, and tells the server if they are at the end and look. */
  function look (): void {
    const scroller = scrollerRef.current
    if (scroller === null || log.target !== undefined) return
    const wasAtEnd = log.isAtEnd
    const isEnd = fromEnd(scroller) <= endPx && log.range.to >= messagesNow().length
    log.isAtEnd = isEnd
    const key = isEnd ? undefined : lastVisibleKey(scroller)
    const seen = isEnd ? lastSeq(messagesNow()) : (messagesNow().find(message => message.key === key)?.seq ?? 0)
    const moved = seen > log.seenSeq && !document.hidden
    if (moved) log.seenSeq = seen
    if (isEnd && !timeline.hasNewer.get() && !document.hidden && document.hasFocus()) markRead()
    if (wasAtEnd !== isEnd || moved) redraw(undefined)
  }

  function markRead (): void {
    const last = messagesNow().findLast(message => message.seq !== undefined)
    const { readSeq = 0, settings } = conversation.summary.get() ?? {}
    if (last?.seq !== undefined && (last.seq > readSeq || settings?.markedUnread === true)) {
      void conversation.markRead(last)
    }
  }

  function toNewest (): void {
    if (timeline.hasNewer.get()) {
      log.target = { to: 'end' }
      timeline.jumpTo('newest').then(
        () => {
          goto({ to: 'end' })
        },
        () => {
          log.target = undefined
        }
      )
    } else goto({ to: 'end' })
  }

  function toUnread (): void {
    goto({ to: 'unread' })
  }

  async function toSeq (seq: number): Promise<boolean> {
    try {
      await timeline.ready
      if (!messagesNow().some(message => message.seq === seq)) await timeline.jumpTo(seq)
    } catch (error) {
      if (!isAborted(error)) return false
    }
    const message = messagesNow().find(candidate => candidate.seq === seq)
    if (message === undefined) return false
    goto({ to: 'message', key: message.key, isFound: true })
    return true
  }

  function goto (target: Target): void {
    log.range = rangeFor(target, messagesNow(), lineOf(log, timeline))
    log.shown = messagesNow()
    log.target = target
    if (target.to === 'message' && target.isFound) {
      log.found = target.key
      setTimeout(() => {
        log.found = undefined
        redraw(undefined)
      }, 1_700)
    }
    redraw(undefined)
  }
}

/** Calls when sizes change without a drawing: names that arrive, pictures, the keyboard of a phone. */
function useSizes (
  scrollerRef: { current: HTMLElement | null },
  timeline: Timeline,
  isEmpty: boolean,
  onChange: (scroller: HTMLElement) => void
): void {
  useEffect(() => {
    const scroller = scrollerRef.current
    if (scroller === null) return
    const observer = new ResizeObserver(() => {
      onChange(scroller)
    })
    observer.observe(scroller)
    if (scroller.firstElementChild !== null) observer.observe(scroller.firstElementChild)
    return () => {
      observer.disconnect()
    }
    // Before the first message there may be no scroller.
  }, [timeline, isEmpty])
}

/** Calls when the reader looks away from the page, or back at it. */
function useAttention (timeline: Timeline, onChange: (isThere: boolean) => void): void {
  useEffect(() => {
    const change = () => {
      onChange(!document.hidden && document.hasFocus())
    }
    addEventListener('focus', change)
    addEventListener('blur', change)
    document.addEventListener('visibilitychange', change)
    return () => {
      removeEventListener('focus', change)
      removeEventListener('blur', change)
      document.removeEventListener('visibilitychange', change)
    }
  }, [timeline])
}

interface State {
  /** How many were below the unread line at most. */
  unread: number
  shown: readonly Message[]
  range: Range
  target: Target | undefined
  anchor: Anchor | undefined
  isAtEnd: boolean
  seenSeq: number
  /** Another place of the unread line than when the conversation was opened. */
  lineAfter: number | undefined
  /** The last seq that was seen when the reader looked away. */
  awayAfter: number | undefined
  found: string | undefined
  isBusy: boolean
}

const lineOf = (log: State, timeline: Timeline): number | null => log.lineAfter ?? timeline.unreadAfter

function lastSeq (messages: readonly Message[]): number {
  return messages.findLast(message => message.seq !== undefined)?.seq ?? 0
}

/** What arrives while the reader looks away goes below a new unread line. */
function noteAbsence (log: State, messages: readonly Message[]): void {
  if (log.awayAfter === undefined || log.lineAfter === log.awayAfter) return
  if (countNew(messages, log.awayAfter) === 0) return
  log.lineAfter = log.awayAfter
  log.unread = 0
}

function rangeFor (target: Target, messages: readonly Message[], unreadAfter: number | null): Range {
  if (target.to === 'end' || (target.to === 'unread' && unreadAfter === null)) return atEnd(messages.length)
  const index =
    target.to === 'message'
      ? messages.findIndex(message => message.key === target.key)
      : messages.findIndex(message => message === firstUnreadOf(messages, unreadAfter))
  return index < 0 ? atEnd(messages.length) : around(index, messages.length)
}

/** Scrolls to the target; false if it is not in the page yet. */
function reach (scroller: HTMLElement, log: State): boolean {
  const { target } = log
  if (target === undefined) return true
  const line = target.to === 'unread' ? scroller.querySelector<HTMLElement>('[data-line=unread]') : undefined
  const row = target.to === 'message' ? rowOf(scroller, target.key) : undefined
  if (target.to === 'message' && row === undefined) return false
  if (row !== undefined) {
    scroller.scrollTop +=
      row.getBoundingClientRect().top -
      scroller.getBoundingClientRect().top -
      (scroller.clientHeight - row.offsetHeight) / 2
  } else if (line != null) {
    scroller.scrollTop +=
      line.getBoundingClientRect().top - scroller.getBoundingClientRect().top - scroller.clientHeight * 0.2
  } else scroller.scrollTop = scroller.scrollHeight
  return true
}
