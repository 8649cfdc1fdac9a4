import type { Identity } from '../auth/identity.ts'
import { lastActivityOf } from '../chat/conversations/last-activity.ts'
import { type View, generationOf, showsMore, viewOf } from '../chat/view.ts'
import type { Position } from '../log/cursor.ts'
import { isServable } from '../log/servable.ts'
import { type Head, revOf, selfLogId, seqOf } from '../log/types.ts'
import type { SyncInput } from '../schemas/sync.ts'
import type { SyncContext } from './context.ts'
import type { Place, UserPlaces } from './places.ts'

/** What is compared before anything is scanned: a client's cursors with the heads of all its conversations. */

/** A conversation that has something for the client. */
export interface Due {
  place: Place
  /** Read before any scan. */
  head: Head
  view: View
  /** What the client has; null: nothing that counts. */
  from: Position | null
}

export interface Heads {
  places: UserPlaces
  selfHead: Head | undefined
  /** Those that were asked for, the own log first. */
  asked: readonly Place[]
  /** In the order of `asked`; undefined for a conversation that does not exist yet. */
  heads: Array<Head | undefined>
}

/**
 * The heads of the caller's conversations, as they are now.
 * @param named the conversations to look at beside the own log; undefined: all
 */
export async function readHeads ({ chat: { log }, places }: SyncContext, identity: Identity, named?: readonly string[]): Promise<Heads> {
  // The own log first: it says what the others are.
  const selfHead = await log.head(selfLogId(identity.userId))
  const mine = await places.of(identity, selfHead)
  const asked = named === undefined ? mine.all : placesOf(mine, named)
  const unknown: number[] = []
  const heads = asked.map(({ conversationId }, index) => {
    const head = index === 0 ? selfHead ?? null : log.peekHead(conversationId)
    if (head === undefined) unknown.push(index)
    return head ?? undefined
  })
  if (unknown.length > 0) {
    const found = await log.heads(unknown.map(index => asked[index]!.conversationId))
    for (const index of unknown) heads[index] = found.get(asked[index]!.conversationId)
  }
  return { places: mine, selfHead, asked, heads }
}

/** The own log and the named ones that are the caller's. */
function placesOf ({ all, byWireId }: UserPlaces, named: readonly string[]): Place[] {
  const found = new Set(all.slice(0, 1))
  for (const wireId of named) {
    const place = byWireId.get(wireId)
    if (place !== undefined) found.add(place)
  }
  return [...found]
}

/**
 * What of all that has changed for a client with these cursors.
 * @throws TidelogError BAD_CURSOR
 */
export async function look (context: SyncContext, identity: Identity, { cursors = {}, only = false }: Pick<SyncInput, 'cursors' | 'only'>): Promise<Due[]> {
  const { places, selfHead, asked, heads } = await readHeads(context, identity, only ? Object.keys(cursors) : undefined)
  const { userId } = identity
  const due: Array<Omit<Due, 'view'>> = []
  let known = 0
  for (let index = 0; index < asked.length; index++) {
    const place = asked[index]!
    const head = heads[index]
    const cursor = cursors[place.wireId]
    if (cursor === null) known++
    if (cursor == null) {
      if (head !== undefined) due.push({ place, head, from: null })
      continue
    }
    known++
    const position = context.places.positionOf(userId, place, cursor)
    if (head === undefined) {
      // From a database that was restored to before this conversation began: what the client holds of it is no more.
      if (!isServable(position, head)) due.push({ place, head: unbegun(place), from: null })
      continue
    }
    const generation = generationOf(head, place.joined, selfHead)
    if (showsMore(generation, position.generation) || !isServable(position, head)) due.push({ place, head, from: null })
    else if (position.rev < head.headRev || position.clock < head.clock.getTime() || position.generation !== generation) due.push({ place, head, from: position })
  }
  checkOthers(context, userId, places, cursors, known)
  if (due.length === 0) return []
  const blocked = await context.chat.blocks.at(userId, selfHead)
  return due.flatMap(one => {
    const view = viewOf(one.head, one.place.joined, selfHead, blocked)
    return view === null ? [] : [{ ...one, view }]
  }).sort(inTurn)
}

/** The head of a conversation in which nothing has happened; only the own log and the common chat are there from the start. */
function unbegun ({ conversationId, wireId }: Place): Head {
  return {
    _id: conversationId,
    kind: wireId === 'self' ? 'self' : 'common',
    headRev: revOf(0),
    headSeq: seqOf(0),
    clock: new Date(0),
    memberCount: 0,
    createdAt: new Date(0)
  }
}

/** Cursors of conversations that are the caller's no more are ignored, but they must have been the caller's. */
function checkOthers ({ places }: SyncContext, userId: string, mine: UserPlaces, cursors: Readonly<Record<string, string | null>>, known: number): void {
  const ids = Object.keys(cursors)
  if (ids.length === known) return
  for (const wireId of ids) {
    const cursor = cursors[wireId]
    if (cursor != null && !mine.byWireId.has(wireId)) places.check(userId, wireId, cursor)
  }
}

/**
 * The own log first, which says what else is new; then what the client has nothing of, the latest activity first; then what it
 * has waited for longest, so that a busy conversation does not keep the others waiting at small limits.
 */
function inTurn (a: Omit<Due, 'view'>, b: Omit<Due, 'view'>): number {
  const rank = ({ place, from }: Omit<Due, 'view'>) => place.wireId === 'self' ? 0 : from === null ? 1 : 2
  const active = ({ place, head }: Omit<Due, 'view'>) => lastActivityOf(head, place.joined).getTime()
  return rank(a) - rank(b) || (a.from === null || b.from === null ? active(b) - active(a) : a.from.clock - b.from.clock)
}
