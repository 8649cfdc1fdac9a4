import type { ConversationSettings, Role } from '../values.ts'
import { toPerson, toRow } from './normalize.ts'
import type { Person, Row } from './state.ts'
import type { WireChange, WireConversation, WireHistory, WireMessage, WireReads, WireSettings } from './wire.ts'

/** What the log tells: answers of a sync, pages of history and live events, as this package applies them. */

/** What a room is. */
type Meta = Omit<Extract<WireChange, { kind: 'meta' }>, 'kind' | 'rev' | 'deleted'>

export type Change =
  | { kind: 'message', rev: number, row: Row, people: Person[] }
  | { kind: 'membership', rev: number, conversationId?: string | undefined, userId: string, role: Role | null }
  | { kind: 'meta', rev: number } & Partial<Meta>
  | { kind: 'purge', rev: number, throughSeq: number }
  | { kind: 'pins', rev: number, messageIds: readonly string[] }
  | { kind: 'read', rev: number, conversationId: string, seq: number }
  | { kind: 'block', rev: number, userId: string, on: boolean }
  | { kind: 'settings', rev: number, conversationId: string, settings: ConversationSettings }
  /** Of a newer server: it has its rev and nothing else. */
  | { kind: 'other', rev: number }

export interface Reads { userId: string, seq: number, at: number }

/** What a sync says of one conversation. */
export interface Synced {
  conversationId: string
  kind: 'direct' | 'room' | 'common' | 'self'
  changes: Change[]
  cursor: string
  rev: number
  hasMore: boolean
  reset: boolean
  fromSeq?: number | undefined
  unreadCount: number
  mentionCount: number
  reads: Reads[]
}

/** A live change; `change` is null if it is one that you may not see. */
export interface LiveEvent { conversationId: string, rev: number, change: Change | null }

export interface HistoryPage { rows: Row[], people: Person[], hasOlder: boolean }

const time = (text: string) => Date.parse(text)

/** Whom a message names, as they are called now. */
export function peopleOf (message: WireMessage): Person[] {
  return ('user' in message ? [message.user] : [message.senderId, message.receiverId]).map(toPerson)
}

export function toChange (change: WireChange): Change {
  const { rev } = change
  switch (change.kind) {
    case 'message': return { kind: 'message', rev, row: toRow(change.message), people: peopleOf(change.message) }
    case 'read': return { kind: 'read', rev, conversationId: change.conversationId, seq: change.seq }
    case 'settings': {
      const { conversationId } = change
      return { kind: 'settings', rev, conversationId, settings: toSettings(change) }
    }
    case 'membership':
    case 'meta':
    case 'purge':
    case 'pins':
    case 'block': return change
    default: return { kind: 'other', rev }
  }
}

export function toSettings (
  { mutedUntil, notify, archived, pinnedAt, markedUnread, clearedSeq, hiddenSeqs }: WireSettings
): ConversationSettings {
  return {
    mutedUntil: mutedUntil == null ? null : time(mutedUntil),
    notify: notify ?? 'all',
    archived: archived ?? false,
    pinnedAt: pinnedAt == null ? null : time(pinnedAt),
    markedUnread: markedUnread ?? false,
    clearedSeq: clearedSeq ?? 0,
    hiddenSeqs: hiddenSeqs ?? []
  }
}

export function toReads ({ userId, seq, at }: WireReads): Reads {
  return { userId, seq, at: time(at) }
}

export function toSynced (synced: WireConversation): Synced {
  const { changes, reads, reset, mentionCount = 0, ...rest } = synced
  return { ...rest, changes: changes.map(toChange), reset: reset === true, mentionCount, reads: reads.map(toReads) }
}

export function toHistory ({ messages, hasOlder, hasMore }: WireHistory): HistoryPage {
  return { rows: messages.map(toRow), people: messages.flatMap(peopleOf), hasOlder: hasOlder ?? hasMore ?? false }
}

const messageEvents = new Set(['directMessage', 'roomMessage', 'commonChatMessage', 'messageChanged'])

/** The change that a socket event brings; undefined: it brings none. */
export function toLive (event: string, payload: unknown): LiveEvent | undefined {
  if (messageEvents.has(event)) {
    const message = payload as WireMessage
    const { conversationId, rev } = message
    return { conversationId, rev, change: toChange({ kind: 'message', rev, message }) }
  }
  if (event !== 'conversationChanged' && event !== 'noop') return undefined
  const { conversationId, rev, change } = payload as { conversationId: string, rev: number, change?: WireChange }
  return { conversationId, rev, change: change === undefined ? null : toChange(change) }
}
