import type { Change, SyncBody } from '../../src/schemas/sync.ts'
import { type State, apply, nothing } from '../helpers/follower.ts'

/**
 * The rules of a client that follows live and by sync, on plain values: it applies a change at the next rev, drops an
 * older one, and keeps one from further ahead until a sync has brought those in between. During a sync it keeps
 * everything.
 */

export interface LiveEvent {
  conversationId: string
  rev: number
  /** Null: a change that this user may not see. */
  change: Change | null
}

type Revs = Readonly<Record<string, number>>

export interface Live {
  readonly state: State
  /** The last known rev of each conversation on this connection. */
  readonly revs: Revs
  /** Events that cannot be applied yet. */
  readonly kept: readonly LiveEvent[]
  /** Revs that the next sync is certain to reach. */
  readonly goals: Revs
  /** Revs that the running sync is certain to reach. */
  readonly reaching: Revs | null
  /** Only a sync can bring something that is missing. */
  readonly isDue: boolean
}

/** Rules that a mutant replaces. */
export interface Rules {
  /** Is a live change applied to a message that the client has? */
  isNewer: (rev: number, known: number) => boolean
}

export const rules: Rules = { isNewer: (rev, known) => rev > known }

export function connected (state: State): Live {
  return { state, revs: {}, kept: [], goals: {}, reaching: null, isDue: true }
}

export function hear (live: Live, event: LiveEvent, by = rules): Live {
  return settle({ ...live, kept: [...live.kept, event] }, by)
}

/** Takes a heartbeat's revs. */
export function hearHeads (live: Live, heads: Revs): Live {
  const news = Object.entries(heads).filter(([id, rev]) => (live.revs[id] ?? 0) < rev)
  return news.length === 0 ? live : { ...live, goals: highest(live.goals, Object.fromEntries(news)), isDue: true }
}

export function hearReads (live: Live, conversationId: string, position: SyncBody['conversations'][number]['reads'][number]): Live {
  return live.state.conversations[conversationId] === undefined ? live : { ...live, state: change(live.state, conversationId, [], [position]) }
}

/** Events that arrived above a gap. */
export function holes ({ kept, revs, state }: Live): LiveEvent[] {
  return kept.filter(({ conversationId, rev }) => state.conversations[conversationId] !== undefined && rev > (revs[conversationId] ?? 0) + 1)
}

export function beginSync (live: Live): Live {
  const kept = Object.fromEntries(live.kept.map(({ conversationId }) => [conversationId, Math.max(...live.kept.flatMap(event => event.conversationId === conversationId ? event.rev : []))]))
  return { ...live, reaching: highest(live.goals, kept), goals: {}, isDue: false }
}

/** Takes one response of a sync. */
export function takeAnswer (live: Live, answer: Pick<SyncBody, 'conversations'>): Live {
  // A self log that begins again belongs to another epoch: everything else is dropped in the same step.
  const isAnew = live.state.conversations['self'] !== undefined && answer.conversations.some(({ conversationId, reset }) => conversationId === 'self' && reset === true)
  const conversations = isAnew ? answer.conversations.filter(({ reset }) => reset === true) : answer.conversations
  return {
    ...live,
    state: apply(isAnew ? nothing : live.state, { conversations }),
    reaching: highest(live.reaching ?? {}, Object.fromEntries(conversations.map(({ conversationId, rev }) => [conversationId, rev]))),
    isDue: live.isDue || isAnew
  }
}

/** Ends a sync after its last response. */
export function endSync (live: Live, by = rules): Live {
  const { state } = live
  const isThere = (id: string) => state.conversations[id] !== undefined
  const revs = Object.fromEntries(Object.entries(highest(live.revs, live.reaching ?? {})).filter(([id]) => isThere(id)))
  const kept = live.kept.filter(({ conversationId, rev }) => isThere(conversationId) || rev > (live.reaching?.[conversationId] ?? 0))
  return settle({ ...live, revs, kept, reaching: null }, by)
}

export function failSync (live: Live): Live {
  return { ...live, goals: highest(live.goals, live.reaching ?? {}), reaching: null, isDue: true }
}

function settle (live: Live, by: Rules): Live {
  if (live.reaching !== null) return live
  let now = live
  for (;;) {
    const next = now.kept.find(({ conversationId, rev }) => now.revs[conversationId] !== undefined && rev <= now.revs[conversationId] + 1)
    if (next === undefined) break
    const rest = { ...now, kept: now.kept.filter(event => event !== next) }
    now = by.isNewer(next.rev, now.revs[next.conversationId]!) ? step(rest, next) : rest
  }
  return now.kept.some(({ conversationId }) => now.revs[conversationId] === undefined) ? { ...now, isDue: true } : now
}

function step (live: Live, { conversationId, rev, change: made }: LiveEvent): Live {
  const revs = { ...live.revs, [conversationId]: rev }
  const before = live.state.conversations[conversationId]
  if (before === undefined || made === null) return { ...live, revs }
  if (made.kind === 'message' && 'user' in made.message && live.state.blocked.includes(made.message.user._id)) return { ...live, revs }
  const state = change(rev <= (live.revs[conversationId] ?? 0) ? forget(live.state, conversationId, made) : live.state, conversationId, [made])
  // A conversation that was dropped may come again, from its beginning.
  const there = Object.fromEntries(Object.entries(revs).filter(([id]) => state.conversations[id] !== undefined))
  return { ...live, state, revs: there, isDue: live.isDue || showsMore(made, before.meta?.history) }
}

/** May this change alter what the user sees of older messages? */
function showsMore (made: Change, history: string | undefined): boolean {
  switch (made.kind) {
    // A user who left and came back in one commit gets only the second row.
    case 'membership': return made.conversationId !== undefined && made.role !== null
    case 'block': return !made.on
    case 'meta': return made.history !== history
    case 'message':
    case 'purge':
    case 'pins':
    case 'settings':
    case 'read': return false
  }
}

function change (state: State, conversationId: string, changes: Change[], reads: SyncBody['conversations'][number]['reads'] = []): State {
  const { kind, cursor, rev, unreadCount } = state.conversations[conversationId]!
  return apply(state, { conversations: [{ conversationId, kind: kind as 'room', cursor, rev, changes, hasMore: false, unreadCount, mentionCount: 0, reads }] })
}

/** Only for a client that goes back: deletes newer forms, so that they do not win over an older one. */
function forget (state: State, conversationId: string, made: Change): State {
  if (made.kind !== 'message') return state
  const held = state.conversations[conversationId]!
  const { [made.message._id]: gone, ...messages } = held.messages
  return { ...state, conversations: { ...state.conversations, [conversationId]: { ...held, messages } } }
}

function highest (a: Revs, b: Revs): Record<string, number> {
  return Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map(id => [id, Math.max(a[id] ?? 0, b[id] ?? 0)]))
}
