import type { Identity } from '../auth/identity.ts'
import { type People, type ReadSeqs, gather, nobodyRead } from '../chat/payload.ts'
import { objectId, parseConversationId } from '../chat/conversation-id.ts'
import { JsonBytes } from '../chat/json-bytes.ts'
import { unreadMax } from '../chat/unread-counts.ts'
import { isShown } from '../chat/view.ts'
import type { Position } from '../log/cursor.ts'
import { changesAfter, messagesBefore } from '../log/page.ts'
import { metaOf, showsReaders } from '../log/steps.ts'
import type { StoredRow } from '../log/stored-row.ts'
import { type Head, type Member, type Rev, revOf, selfLogId } from '../log/types.ts'
import type { ReadPosition, SyncInput } from '../schemas/sync.ts'
import { writeChange } from './changes.ts'
import type { SyncContext } from './context.ts'
import { type Due, look } from './look.ts'

/** Changes in an answer where the client names no limit, and at most. */
export const changesMax = 500
/** Length of an answer in UTF-8. */
export const answerBytesMax = 256 * 1024
/** Messages that a conversation begins with. */
const newestMax = 50
/** Conversations that are read at once. */
const atOnce = 24
/** What an answer takes beside its changes, and a conversation in it. */
const answerBytes = 100
const conversationBytes = 320

/** What a client is told of one conversation. */
export interface PulledConversation {
  wireId: string
  kind: Head['kind']
  /** As JSON, with commas between. */
  changes: string
  cursor: string
  /** What the cursor stands for: the next live change has the rev behind it. */
  rev: Rev
  hasMore: boolean
  reset: boolean
  unreadCount: number
  reads: ReadPosition[]
}

export interface Pulled {
  conversations: PulledConversation[]
  hasMore: boolean
}

export type PullInput = Pick<SyncInput, 'cursors' | 'limit'>

/**
 * What changed for a user over all conversations since the cursors of a client. Heads are read before anything is scanned,
 * and a cursor never stands for more than the head that was read: what lands meanwhile is found by the next call. An
 * answer that says that there is more has moved at least one cursor.
 * @throws TidelogError BAD_CURSOR
 */
export async function pull (context: SyncContext, identity: Identity, { cursors = {}, limit = changesMax }: PullInput): Promise<Pulled> {
  return await fill(context, identity, await look(context, identity, cursors), limit)
}

/** As much of what is due as goes into one answer. */
export async function fill (context: SyncContext, identity: Identity, due: readonly Due[], limit: number): Promise<Pulled> {
  const answer = new Answer(context, identity, limit)
  let start = 0
  while (start < due.length && !answer.isFull) {
    const some = due.slice(start, start + answer.worthReading(due, start))
    start += some.length
    const found = await Promise.all(some.map(async one => await read(context, identity, one, answer.worthScanning)))
    const [people, now] = await Promise.all([gather(context.chat, found.flatMap(({ rows }) => rows)), lookAgain(context, identity, found)])
    for (const one of found) {
      if (!now.isMine(one.due)) continue
      one.hasMoved ||= now.isPurged(one.due)
      // Where heads move when their commit is known to be on disk, the next call would find nothing new before that.
      if (one.hasMoved) await context.chat.log.settled(one.due.head._id)
      answer.add(one, people)
    }
  }
  return answer.done(start < due.length)
}

/** What is so after a scan. */
interface SecondLook {
  /**
   * Whoever is a member now was one when everything that was scanned was written. Otherwise somebody who is removed in between
   * would be told what was said behind them.
   */
  isMine: (due: Due) => boolean
  /**
   * More was purged since the head was read: rows of it may have gone under the scan, and the change that says so is behind
   * that head.
   */
  isPurged: (due: Due) => boolean
}

async function lookAgain ({ chat: { log }, places }: SyncContext, identity: Identity, found: readonly Found[]): Promise<SecondLook> {
  // One by one, so that they are read together with those of other answers.
  const [selfHead, ...now] = await Promise.all([log.head(selfLogId(identity.userId)), ...found.map(({ due: { head } }) => log.head(head._id))])
  const mine = await places.of(identity, selfHead)
  const isPurged = new Set(found.flatMap(({ due }, index) => (now[index]?.purgedSeq ?? 0) > (due.head.purgedSeq ?? 0) ? [due] : []))
  return {
    isMine: ({ place }) => mine.byWireId.get(place.wireId)?.joined?.joinedRev === place.joined?.joinedRev,
    isPurged: due => isPurged.has(due)
  }
}

/** A room's settings as its head has them, at the rev at which they were set. */
interface Settings {
  rev: number
  text: string
}

/** What was read of one conversation for an answer. */
interface Found {
  due: Due
  /** As scanned, by ascending rev, up to the head, hidden ones among them. */
  rows: StoredRow[]
  /** There is more behind the last row, up to the head. */
  hasMore: boolean
  /** Something that the head stands for has changed or gone since, and is not in `rows`. */
  hasMoved: boolean
  meta: Settings | undefined
  members: Member[]
  /** What their read positions take at most. */
  readsBytes: number
  readSeqs: ReadSeqs
  unread: number
}

async function read (context: SyncContext, identity: Identity, due: Due, limit: number): Promise<Found> {
  const { head, place, from } = due
  const [page, mine, members] = await Promise.all([
    place.wireId === 'self' || from !== null
      ? scan(context, head, from?.rev ?? revOf(0), limit)
      : newest(context, due),
    place.joined === undefined ? undefined : context.chat.log.member(head._id, identity.id),
    readersOf(context, due)
  ])
  const unread = mine === undefined ? 0 : await context.unread.of(identity, head, mine, due.view)
  return {
    due,
    ...page,
    meta: from === null && head.kind === 'room' ? settingsOf(head) : undefined,
    members,
    readsBytes: members.length * readBytes,
    readSeqs: head.kind === 'direct' ? new Map(members.map(member => [member.userId.toHexString(), member.readSeq])) : nobodyRead,
    unread
  }
}

function settingsOf (head: Head): Settings {
  const rev = head.metaRev ?? 1
  return { rev, text: JSON.stringify({ rev, kind: 'meta', ...metaOf(head) }) }
}

type Scanned = Pick<Found, 'rows' | 'hasMore' | 'hasMoved'>

async function scan ({ chat: { log } }: SyncContext, head: Head, after: Rev, limit: number): Promise<Scanned> {
  if (after >= head.headRev) return nothing
  const page = await changesAfter(log.collections, head._id, after, limit)
  // What changed after the head was read comes next time, when it is known again who may see it.
  const rows = upTo(head, page.rows)
  const hasMore = page.hasMore && rows.length === page.rows.length && rows.at(-1)!.rev < head.headRev
  // What is behind a full page that ends at the head was not looked at: any of it may have moved there.
  return { rows, hasMore, hasMoved: hasMoved(head, page.rows) || (page.hasMore && !hasMore) }
}

async function newest ({ chat: { log } }: SyncContext, { head, view }: Due): Promise<Scanned> {
  if (head.headSeq <= view.fromSeq) return nothing
  const { rows } = await messagesBefore(log.collections, head._id, undefined, newestMax)
  return { rows: upTo(head, rows).filter(row => isShown(view, row)).sort((a, b) => a.rev - b.rev), hasMore: false, hasMoved: hasMoved(head, rows) }
}

const nothing: Scanned = { rows: [], hasMore: false, hasMoved: false }

function upTo ({ headRev }: Head, rows: StoredRow[]): StoredRow[] {
  return rows.every(({ rev }) => rev <= headRev) ? rows : rows.filter(({ rev }) => rev <= headRev)
}

/** Was one of these there when the head was read, in a form that is gone? Times of a conversation increase with its revs. */
function hasMoved ({ headRev, clock }: Head, rows: StoredRow[]): boolean {
  return rows.some(({ rev, createdMs }) => rev > headRev && createdMs <= clock.getTime())
}

/** Members whose read positions the client may have to be told: between two always, because their messages show it. */
async function readersOf ({ chat: { log } }: SyncContext, { head, from }: Due): Promise<Member[]> {
  const ref = parseConversationId(head._id)
  if (ref?.kind === 'direct') {
    const both = await Promise.all(ref.userIds.map(userId => log.member(head._id, objectId(userId))))
    return both.filter(member => member !== undefined)
  }
  const moved = from === null || (head.lastReadAt !== undefined && head.lastReadAt.getTime() > from.clock)
  if (ref?.kind !== 'room' || !moved || !showsReaders(head)) return []
  return await log.collections.members.find({ conversationId: head._id }, { projection: { readTrail: 0 } }).hint('conversation_user').toArray()
}

/** Where changes are written; only within one turn. */
const out = new JsonBytes()

/** An answer as it fills up. */
class Answer {
  private readonly context: SyncContext
  private readonly identity: Identity
  private readonly conversations: PulledConversation[] = []
  changesLeft: number
  private bytesLeft = answerBytesMax - answerBytes
  private hasMore = false
  /** Something did not fit. */
  private overflown = false

  constructor (context: SyncContext, identity: Identity, limit: number) {
    this.context = context
    this.identity = identity
    this.changesLeft = limit
  }

  get isFull (): boolean {
    return this.overflown || this.changesLeft <= 0 || this.bytesLeft <= conversationBytes
  }

  /** Rows of a conversation that are likely to fit; what is read beyond that is thrown away. */
  get worthScanning (): number {
    return Math.max(1, Math.min(this.changesLeft, Math.ceil(this.bytesLeft / this.context.sizes.change)))
  }

  /** How many of the next are read together: no more than are likely to fit. */
  worthReading (due: readonly Due[], start: number): number {
    let changes = 0
    let count = 0
    while (count < atOnce && start + count < due.length && (count === 0 || changes < this.changesLeft)) {
      const { from, head } = due[start + count]!
      changes += from === null ? Math.min(newestMax, head.headSeq) : head.headRev - from.rev
      count++
    }
    return count
  }

  add (found: Found, people: People): void {
    if (this.isFull || (found.readsBytes + conversationBytes > this.bytesLeft && this.conversations.length > 0)) {
      this.overflown = true
      return
    }
    const { due: { head, view, from }, rows, meta, readSeqs } = found
    const entries: Array<StoredRow | Settings> = meta === undefined ? rows : [...rows, meta].sort((a, b) => a.rev - b.rev)
    const beside = conversationBytes + found.readsBytes
    let taken = 0
    let count = 0
    out.clear()
    for (const entry of entries) {
      if (!('kind' in entry) || isShown(view, entry)) {
        const before = out.length
        if (count > 0) out.ascii(',')
        if ('kind' in entry) writeChange(out, entry, people, readSeqs)
        else out.text(entry.text)
        const fits = count < this.changesLeft && beside + out.length < this.bytesLeft
        // The first of an answer always goes in, or it would never move on.
        if (!fits && (count > 0 || this.conversations.length > 0)) {
          out.cut(before)
          this.overflown = true
          break
        }
        count++
      }
      taken++
    }
    if (count > 0) this.context.sizes.change += (out.length / count - this.context.sizes.change) / 8
    const next = entries[taken]
    const hasMore = found.hasMore || next !== undefined
    if (taken === 0 && hasMore) return
    const clock = head.clock.getTime()
    // Whoever begins is told of all read positions at once; the newest page may have gaps, which its scan goes on behind.
    const position: Position = !hasMore
      ? { rev: head.headRev, clock, generation: view.generation }
      : from === null && next !== undefined
        ? { rev: revOf(next.rev - 1), clock, generation: view.generation }
        : { rev: revOf(entries[taken - 1]!.rev), clock: Math.max(from?.clock ?? 0, Math.min((entries[taken - 1] as StoredRow).updatedAt.getTime(), clock)), generation: view.generation }
    this.take(found, { changes: out.toString(), count, position, hasMore, bytes: beside + out.length })
  }

  /** @param isMoreDue there are conversations that were not read */
  done (isMoreDue: boolean): Pulled {
    return { conversations: this.conversations, hasMore: this.hasMore || this.overflown || isMoreDue }
  }

  private take (
    { due: { place, head, from }, members, unread, hasMoved }: Found,
    { changes, count, position, hasMore, bytes }: { changes: string, count: number, position: Position, hasMore: boolean, bytes: number }
  ): void {
    const [after, until] = [from?.clock ?? -1, hasMore ? position.clock : Infinity]
    const reads = members.flatMap(({ userId, readSeq, readAt }): ReadPosition[] => {
      const at = readAt?.getTime()
      return at === undefined || at <= after || at > until ? [] : [{ userId: userId.toHexString(), seq: readSeq, at: readAt!.toISOString() }]
    })
    this.changesLeft -= count
    this.bytesLeft -= bytes
    this.hasMore ||= hasMore || hasMoved
    this.conversations.push({
      wireId: place.wireId,
      kind: head.kind,
      changes,
      cursor: this.context.places.cursorAt(this.identity.userId, place, position),
      rev: position.rev,
      hasMore: hasMore || hasMoved,
      reset: from === null,
      unreadCount: unread,
      reads
    })
  }
}

/** A read position as JSON. */
const readBytes = 90

/** An answer as JSON text. */
export function writePulled ({ conversations, hasMore }: Pulled, serverTime: number): string {
  let text = ''
  for (const { wireId, kind, changes, cursor, rev, hasMore, reset, unreadCount, reads } of conversations) {
    text += `${text === '' ? '' : ','}{"conversationId":"${wireId}","kind":"${kind}","changes":[${changes}],"cursor":"${cursor}","rev":${rev},"hasMore":${String(hasMore)}${
      reset ? ',"reset":true' : ''},"unreadCount":${Math.min(unreadCount, unreadMax)}${unreadCount > unreadMax ? ',"unreadCountCapped":true' : ''},"reads":${reads.length === 0 ? '[]' : JSON.stringify(reads)}}`
  }
  return `{"success":true,"conversations":[${text}],"hasMore":${String(hasMore)},"serverTime":"${new Date(serverTime).toISOString()}"}`
}
