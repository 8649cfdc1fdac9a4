import type { Change, ReadPosition, SyncBody } from '../../src/schemas/sync.ts'
import type { Message } from '../../src/schemas/message.ts'

/** A client that holds exactly what the server sent: the reference for sync. Pure, on plain values. */

export interface Held {
  kind: string
  cursor: string
  /** By id. */
  messages: Record<string, Message>
  meta: Omit<Extract<Change, { kind: 'meta' }>, 'kind'> | undefined
  pins: Omit<Extract<Change, { kind: 'pins' }>, 'kind'> | undefined
  /** Roles as they changed since the first cursor. */
  members: Record<string, string | null>
  reads: Record<string, number>
  unreadCount: number
  /** The cursor's rev. */
  rev: number
  /** Messages up to this seq are purged. */
  purgedSeq: number
  /** The conversation is complete from this seq on. */
  fromSeq: number
}

export interface State {
  conversations: Record<string, Held>
  /** The self log. */
  memberships: Record<string, string>
  readSeqs: Record<string, number>
  settings: Record<string, { rev: number, clearedSeq: number, hiddenSeqs: readonly number[] }>
  blocked: string[]
}

export const nothing: State = { conversations: {}, memberships: {}, readSeqs: {}, settings: {}, blocked: [] }

export function cursorsOf ({ conversations }: State): Record<string, string> {
  return Object.fromEntries(Object.entries(conversations).map(([id, { cursor }]) => [id, cursor]))
}

/** The client's state after a response. */
export function apply (state: State, { conversations }: Pick<SyncBody, 'conversations'>): State {
  return conversations.reduce((held, { conversationId, kind, changes, cursor, rev, reset, fromSeq, unreadCount, reads }) => {
    const before = reset === true || held.conversations[conversationId] === undefined ? empty(kind) : held.conversations[conversationId]
    const start: State = conversationId === 'self' && reset === true ? { ...nothing, conversations: held.conversations } : held
    const withCursor = put(start, conversationId, { ...before, cursor, rev, fromSeq: fromSeq ?? before.fromSeq, unreadCount, reads: readsAfter(before.reads, reads) })
    return changes.reduce((state, change) => applyChange(state, conversationId, change), withCursor)
  }, state)
}

function applyChange (state: State, id: string, change: Change): State {
  const held = state.conversations[id]!
  switch (change.kind) {
    case 'message': {
      const { message } = change
      // A clearing may overtake a message that was on its way.
      if (isNarrowed(state, id, message)) return state
      return message.rev > (held.messages[message._id]?.rev ?? 0) ? put(state, id, { ...held, messages: { ...held.messages, [message._id]: message } }) : state
    }
    case 'membership':
      if (id !== 'self') return put(state, id, { ...held, members: { ...held.members, [change.userId]: change.role } })
      return change.role === null ? without(state, change.conversationId!) : { ...state, memberships: { ...state.memberships, [change.conversationId!]: change.role } }
    case 'meta': {
      const { kind, ...meta } = change
      return put(state, id, { ...held, meta })
    }
    case 'pins': return put(state, id, { ...held, pins: { rev: change.rev, messageIds: change.messageIds } })
    case 'purge': return put(state, id, { ...held, purgedSeq: change.throughSeq, messages: only(held.messages, ({ seq }) => seq > change.throughSeq) })
    case 'settings': return narrow({ ...state, settings: { ...state.settings, [change.conversationId]: change } }, change)
    case 'read': return { ...state, readSeqs: { ...state.readSeqs, [change.conversationId]: change.seq } }
    case 'block': {
      const blocked = state.blocked.filter(userId => userId !== change.userId)
      return change.on ? hide({ ...state, blocked: [...blocked, change.userId] }, change.userId) : { ...state, blocked }
    }
  }
}

/** The state that two clients must agree on: the positions, not the message, say how far a direct message is read. */
export function shown ({ conversations, ...own }: State) {
  return {
    ...own,
    blocked: [...own.blocked].sort(),
    conversations: Object.fromEntries(Object.entries(conversations).filter(([id]) => id !== 'self').map(([
      id, { kind, cursor, messages, meta, pins, reads, unreadCount }
    ]) => [id, {
      kind,
      cursor,
      meta,
      pins,
      reads,
      unreadCount,
      messages: Object.values(messages).sort((a, b) => a.seq - b.seq)
        .map(message => 'receiverId' in message ? { ...message, isRead: (reads[message.receiverId._id] ?? 0) >= message.seq } : message)
    }]))
  }
}

function empty (kind: string): Held {
  return {
    kind,
    cursor: '',
    messages: {},
    meta: undefined,
    pins: undefined,
    members: {},
    reads: {},
    unreadCount: 0,
    rev: 0,
    purgedSeq: 0,
    fromSeq: 1
  }
}

function put (state: State, id: string, held: Held): State {
  return { ...state, conversations: { ...state.conversations, [id]: held } }
}

/** Read positions only move forward. */
function readsAfter (before: Record<string, number>, reads: ReadPosition[]): Record<string, number> {
  return { ...before, ...Object.fromEntries(reads.map(({ userId, seq }) => [userId, Math.max(seq, before[userId] ?? 0)])) }
}

function without ({ conversations, memberships, readSeqs, ...state }: State, id: string): State {
  const { [id]: gone, ...rest } = conversations
  const { [id]: role, ...roles } = memberships
  const { [id]: seq, ...seqs } = readSeqs
  return { ...state, conversations: rest, memberships: roles, readSeqs: seqs }
}

/** Deletes cleared and hidden messages. */
function narrow (state: State, { conversationId }: { conversationId: string }): State {
  const held = state.conversations[conversationId]
  if (held === undefined) return state
  const messages = only(held.messages, message => !isNarrowed(state, conversationId, message))
  return put(state, conversationId, { ...held, messages })
}

function isNarrowed ({ settings }: State, conversationId: string, { seq }: Message): boolean {
  const own = settings[conversationId]
  return own !== undefined && (seq <= own.clearedSeq || own.hiddenSeqs.includes(seq))
}

/** In rooms and the common chat, deletes a blocked user's messages and reactions. */
function hide (state: State, userId: string): State {
  return {
    ...state,
    conversations: Object.fromEntries(Object.entries(state.conversations).map(([id, held]) => {
      const visible = only(held.messages, message => !('user' in message) || message.user._id !== userId)
      const messages = Object.entries(visible)
        .map(([key, message]) => [key, withoutReactionsOf(message, userId)] as const)
      return [id, { ...held, messages: Object.fromEntries(messages) }]
    }))
  }
}

function withoutReactionsOf (message: Message, userId: string): Message {
  if (!('user' in message)) return message
  const reactions = message.reactions.flatMap(reaction => {
    if (!reaction.userIds.includes(userId)) return [reaction]
    const userIds = reaction.userIds.filter(id => id !== userId)
    return userIds.length === 0 ? [] : [{ ...reaction, count: reaction.count - 1, userIds }]
  })
  return { ...message, reactions }
}

function only (messages: Record<string, Message>, keep: (message: Message) => boolean): Record<string, Message> {
  return Object.fromEntries(Object.entries(messages).filter(([, message]) => keep(message)))
}
