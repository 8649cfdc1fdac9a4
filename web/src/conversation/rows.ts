import type { Message } from '@tidelog/client'
import { sameDay } from '../i18n/dates.ts'

/** What stands below each other in the log. */
export type Row =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'unread'; key: string; since: number | undefined }
  | { kind: 'waiting'; key: string }
  | { kind: 'events'; key: string; messages: readonly Message[] }
  | { kind: 'message'; key: string; message: Message; isFirst: boolean; hasMore: boolean }

export interface Lines {
  /** The unread line goes above this message. */
  firstUnread: string | undefined
  /** There are older messages than the first one here. */
  hasOlder: boolean
  /** There is no connection: a line goes before what waits. */
  isOffline: boolean
}

/** Milliseconds within which messages of one sender belong together. */
const runMs = 5 * 60_000

/** From this many on, users who join or leave one after the other share one line. */
const foldedFrom = 3

/** The rows of messages[from] … messages[to − 1]. What a row looks like does not depend on `from` and `to`. */
export function rowsOf (messages: readonly Message[], from: number, to: number, lines: Lines): Row[] {
  const rows: Row[] = []
  // How the oldest message looks depends on the one before it: it comes with the page that holds both.
  const first = lines.hasOlder && messages.length > 1 ? 1 : 0
  for (let at = Math.max(from, first); at < to; at++) {
    const message = messages[at]
    if (message === undefined) break
    const before = messages[at - 1]
    const after = messages[at + 1]
    const fold = foldAt(messages, at, first, lines)
    if (fold !== undefined) {
      const folded = messages.slice(fold.from, fold.to)
      rows.push(...linesAbove(messages[fold.from - 1], folded[0] ?? message, lines))
      // Older ones that come to it later leave the key as it is.
      rows.push({ kind: 'events', key: folded.at(-1)?.key ?? message.key, messages: folded })
      at = fold.to - 1
      continue
    }
    const above = linesAbove(before, message, lines)
    rows.push(...above)
    rows.push({
      kind: 'message',
      key: message.key,
      message,
      isFirst: above.length > 0 || !inOneRun(before, message),
      hasMore: after !== undefined && inOneRun(message, after) && linesAbove(message, after, lines).length === 0
    })
  }
  return rows
}

/** The announcements around messages[at] that become one row: all of them, whether they are in the page or not. */
function foldAt (
  messages: readonly Message[], at: number, first: number, lines: Lines
): { from: number; to: number } | undefined {
  if (!isOfMembers(messages[at])) return undefined
  const goOn = (before: Message | undefined, message: Message | undefined): boolean =>
    message !== undefined && isOfMembers(before) && isOfMembers(message) &&
    linesAbove(before, message, lines).length === 0
  let from = at
  let to = at + 1
  while (from > first && goOn(messages[from - 1], messages[from])) from--
  while (goOn(messages[to - 1], messages[to])) to++
  return to - from < foldedFrom ? undefined : { from, to }
}

/** Tells who came or went. */
const isOfMembers = (message: Message | undefined): boolean =>
  message?.isDeleted === false && /^(joined|left|added|removed)$/.test(message.system?.event ?? '')

function linesAbove (before: Message | undefined, message: Message, lines: Lines): Row[] {
  const rows: Row[] = []
  if (before === undefined ? !lines.hasOlder : !sameDay(before.createdAt, message.createdAt)) {
    rows.push({ kind: 'day', key: `day ${message.key}`, at: message.createdAt })
  }
  if (message.key === lines.firstUnread) rows.push({ kind: 'unread', key: 'unread', since: before?.createdAt })
  if (lines.isOffline && isWaiting(message) && (before === undefined || !isWaiting(before))) {
    rows.push({ kind: 'waiting', key: 'waiting' })
  }
  return rows
}

/** The first message of others behind a seq. */
export function firstUnreadOf (messages: readonly Message[], unreadAfter: number | null): Message | undefined {
  if (unreadAfter === null) return undefined
  return messages.find(message => isNew(message) && message.seq !== undefined && message.seq > unreadAfter)
}

/** System messages are never unread. */
const isNew = (message: Message): boolean => !message.isOwn && message.type !== 'system'

const isWaiting = (message: Message): boolean => message.seq === undefined && message.status !== 'failed'

function inOneRun (before: Message | undefined, message: Message): boolean {
  return (
    before !== undefined &&
    before.senderId === message.senderId &&
    message.createdAt - before.createdAt < runMs &&
    before.status !== 'failed' &&
    before.type !== 'system' &&
    message.type !== 'system' &&
    isWaiting(before) === isWaiting(message)
  )
}

/** Others' messages behind a seq: what "new" counts. */
export function countNew (messages: readonly Message[], after: number): number {
  let count = 0
  for (let at = messages.length - 1; at >= 0; at--) {
    const message = messages[at]
    if (message?.seq === undefined) continue
    if (message.seq <= after) break
    if (isNew(message) && !message.isDeleted) count++
  }
  return count
}
