import type { LiveEvent } from './changes.ts'

/**
 * Which live changes may be applied, and what only a sync can bring: a change with the next rev is applied, an
 * older one is dropped, a later one waits. While a sync is under way everything waits. Breaking this would
 * leave a gap that nobody ever notices.
 */
export interface Follow {
  /** The rev up to which each conversation is known on this connection. */
  readonly revs: ReadonlyMap<string, number>
  /** What cannot be applied yet. */
  readonly kept: readonly LiveEvent[]
  /** Revs that the server has named, and that the next sync of that conversation is certain to reach. */
  readonly goals: ReadonlyMap<string, number>
  /** What a sync is under way for; null: none is. */
  readonly scope: Scope | null
  /** The revs that it is certain to reach. */
  readonly reaching: ReadonlyMap<string, number>
  /** What only a sync can bring. */
  readonly due: Scope
}

/** Conversations, or all that there are and will be. */
export type Scope = 'all' | ReadonlySet<string>

/** What is kept at most; beyond that it is dropped, and everything synced. */
const keptMax = 10_000

const none: ReadonlySet<string> = new Set()

/** Nothing is known: all must be synced. */
export const disconnected: Follow = { revs: new Map(), kept: [], goals: new Map(), scope: null, reaching: new Map(), due: 'all' }

/** Where the server's conversations stand, told after it began to send live changes. */
export type Heads = Readonly<Record<string, { rev: number, cursor: string }>>

/** Conversations whose cursor is the server's are known; the others, and new ones, are due. */
export function connected (follow: Follow, heads: Heads, cursorOf: (id: string) => string | undefined): Follow {
  const revs = new Map<string, number>()
  const goals = new Map<string, number>()
  const due = new Set<string>()
  for (const [id, { rev, cursor }] of Object.entries(heads)) {
    goals.set(id, rev)
    if (cursorOf(id) === cursor) revs.set(id, rev)
    else due.add(id)
  }
  const hasSelf = revs.has('self') || due.has('self')
  return { ...follow, revs, goals, due: hasSelf ? due : 'all' }
}

/** Live changes arrive. */
export function hear (follow: Follow, events: readonly LiveEvent[]): Follow {
  if (follow.kept.length + events.length > keptMax) return { ...follow, kept: [], due: 'all', revs: new Map() }
  return { ...follow, kept: [...follow.kept, ...events] }
}

/** The server says where conversations stand. */
export function hearHeads (follow: Follow, heads: Readonly<Record<string, number>>): Follow {
  const news = Object.entries(heads).filter(([id, rev]) => (follow.revs.get(id) ?? 0) < rev)
  return news.length === 0 ? follow : { ...follow, goals: highest(follow.goals, news), due: union(follow.due, news.map(([id]) => id)) }
}

export function mustSync (follow: Follow, scope: Scope): Follow {
  return { ...follow, due: scope === 'all' ? 'all' : union(follow.due, scope) }
}

/** What waits because something before it is missing, where no sync is due for it yet. */
export function gaps ({ kept, revs, due }: Follow): string[] {
  const late = kept.filter(({ conversationId: id, rev }) => !includes(due, id) && rev > (revs.get(id) ?? Infinity) + 1)
  return [...new Set(late.map(({ conversationId }) => conversationId))]
}

export function isDue ({ due, scope }: Follow): boolean {
  return scope === null && (due === 'all' || due.size > 0)
}

/** A sync begins: it will bring at least what live events have announced so far. */
export function beginSync (follow: Follow): Follow {
  const scope = follow.due === 'all' ? 'all' : new Set([...follow.due, 'self'])
  const heard = [...follow.goals, ...follow.kept.map(({ conversationId, rev }) => [conversationId, rev] as const)]
  return { ...follow, scope, due: none, goals: new Map(), reaching: highest(new Map(), heard.filter(([id]) => includes(scope, id))) }
}

/** One answer of several. */
export function hearAnswer (follow: Follow, conversations: ReadonlyArray<{ conversationId: string, rev: number }>): Follow {
  return { ...follow, reaching: highest(follow.reaching, conversations.map(({ conversationId, rev }) => [conversationId, rev])) }
}

/** After the last answer. `isHeld`: is the conversation there? */
export function endSync (follow: Follow, isHeld: (id: string) => boolean): Follow {
  const { reaching } = follow
  const revs = new Map([...highest(follow.revs, reaching)].filter(([id]) => isHeld(id)))
  // What came before the sync, of a conversation that it did not bring, is of one that is not yours any more.
  const kept = follow.kept.filter(({ conversationId: id, rev }) => isHeld(id) || rev > (reaching.get(id) ?? 0))
  return { ...follow, revs, kept, scope: null, reaching: new Map() }
}

export function failSync (follow: Follow): Follow {
  const { scope, goals, reaching, due } = follow
  return {
    ...follow, scope: null, reaching: new Map(), goals: highest(goals, reaching), due: scope === 'all' ? 'all' : union(due, scope ?? none)
  }
}

/**
 * The changes that come next, in the order in which they are to be applied, and what then is left. A conversation of
 * which nothing is known is due at once.
 */
export function take (follow: Follow): { events: LiveEvent[], follow: Follow } {
  if (follow.scope !== null || follow.kept.length === 0) return { events: [], follow }
  const revs = new Map(follow.revs)
  const events: LiveEvent[] = []
  const left: LiveEvent[] = []
  const unknown: string[] = []
  for (const event of [...follow.kept].sort((a, b) => a.rev - b.rev)) {
    const { conversationId: id, rev } = event
    const known = revs.get(id)
    if (known !== undefined && rev <= known) continue
    if (known !== undefined && rev === known + 1) {
      revs.set(id, rev)
      events.push(event)
    } else {
      left.push(event)
      if (known === undefined) unknown.push(id)
    }
  }
  return { events, follow: { ...follow, revs, kept: left, due: union(follow.due, unknown) } }
}

/** Conversations that are not held any more: they may come again, from the beginning. */
export function forget (follow: Follow, ids: Iterable<string>): Follow {
  const revs = new Map(follow.revs)
  for (const id of ids) revs.delete(id)
  return { ...follow, revs }
}

export function includes (scope: Scope, id: string): boolean {
  return scope === 'all' || scope.has(id)
}

function union (due: Scope, ids: Iterable<string>): Scope {
  return due === 'all' ? 'all' : new Set([...due, ...ids])
}

function highest (revs: ReadonlyMap<string, number>, more: Iterable<readonly [string, number]>): Map<string, number> {
  const all = new Map(revs)
  for (const [id, rev] of more) if (rev > (all.get(id) ?? -1)) all.set(id, rev)
  return all
}
