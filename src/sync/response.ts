import { JsonBytes } from '../lib/json-bytes.ts'
import type { References } from '../chat/payload/message-payload.ts'
import { mentionsMax } from '../chat/directories/mention-counts.ts'
import { unreadMax } from '../chat/directories/unread-counter.ts'
import { isShown } from '../chat/rules/view.ts'
import type { CursorPosition } from '../log/read/cursor.ts'
import type { StoredRow } from '../log/read/stored-row.ts'
import { type Head, type Rev, type Seq, revOf } from '../log/model/types.ts'
import type { ReadPosition } from '../schemas/sync.ts'
import { writeChangeJson } from './change-payload.ts'
import type { SyncContext } from './context.ts'
import type { ConversationScan, Newest, SettingsEntry } from './scan-conversation.ts'
import type { DueConversation } from './due.ts'
import type { Identity } from '../users/identity.ts'

/** Maximum length of a response, in bytes of UTF-8. */
const responseBytesMax = 256 * 1024
/** Conversations that are read at once. */
const atOnce = 24
/** Bytes of a response beside its changes, of a conversation in it, and of a read position, as JSON. */
const answerBytes = 100
const conversationBytes = 320
const readBytes = 90

/** One conversation in a response. */
export interface ConversationResult {
  wireId: string
  kind: Head['kind']
  /** JSON in UTF-8, separated by commas. */
  changes: Buffer
  cursor: string
  /** The cursor's rev: the next live change has this rev + 1. */
  rev: Rev
  hasMore: boolean
  reset: boolean
  fromSeq: Seq | undefined
  unreadCount: number
  mentionCount: number
  reads: ReadPosition[]
}

export interface SyncResult {
  conversations: ConversationResult[]
  hasMore: boolean
}

/** Changes and responses are written here; use it only within one tick. */
const out = new JsonBytes()

type Entry = StoredRow | SettingsEntry

/** Builds a response until it is full. */
export class ResponseBuilder {
  private readonly context: SyncContext
  private readonly identity: Identity
  private readonly newest: Newest
  private readonly conversations: ConversationResult[] = []
  changesLeft: number
  private bytesLeft = responseBytesMax - answerBytes
  private hasMore = false
  /** A change did not fit. */
  private isOverflowing = false

  constructor (context: SyncContext, identity: Identity, { limit, newest }: { limit: number, newest: Newest }) {
    this.context = context
    this.identity = identity
    this.changesLeft = limit
    this.newest = newest
  }

  get isFull (): boolean {
    return this.isOverflowing || this.changesLeft <= 0 || this.bytesLeft <= conversationBytes
  }

  /** Rows of a conversation that are likely to fit. Further ones would be read in vain. */
  get rowsToScan (): number {
    return Math.max(1, Math.min(this.changesLeft, Math.ceil(this.bytesLeft / this.context.averageBytes.change)))
  }

  /** The number of next conversations to read together: as many as are likely to fit. */
  conversationsToScan (due: readonly DueConversation[], start: number): number {
    let changes = 0
    let count = 0
    while (count < atOnce && start + count < due.length && (count === 0 || changes < this.changesLeft)) {
      const { since, head } = due[start + count]!
      changes +=
        since === null
          ? Math.min(this.newest === 'all' ? head.headRev : this.newest + 1, head.headRev)
          : head.headRev - since.rev
      count++
    }
    return count
  }

  add (found: ConversationScan, people: References): void {
    const beside = conversationBytes + found.members.length * readBytes
    if (this.isFull || (beside > this.bytesLeft && this.conversations.length > 0)) {
      this.isOverflowing = true
      return
    }
    const { rows, meta } = found
    // At the same rev the settings come first: a response that ends after them is continued from below that rev.
    const entries: Entry[] = meta === undefined ? rows : [meta, ...rows].sort((a, b) => a.rev - b.rev)
    const { taken, count } = this.write(entries, found, people, beside)
    if (count > 0) this.context.averageBytes.change += (out.length / count - this.context.averageBytes.change) / 8
    const { counts } = this.context
    counts.changes += count
    counts.bytes += out.length
    const hasMore = found.hasMore || taken < entries.length
    if (taken === 0 && hasMore) return
    const position = positionAfter(found, entries, taken, hasMore)
    this.take(found, { changes: out.copy(), count, position, hasMore, bytes: beside + out.length })
  }

  /**
   * Writes the visible changes of a conversation, as many as fit.
   * @param beside bytes of the conversation beside its changes
   * @returns how many entries were taken, and how many of them were written
   */
  private write (
    entries: readonly Entry[], { due: { view }, readSeqs }: ConversationScan, people: References, beside: number
  ): { taken: number, count: number } {
    const shown = { ...people, hidden: view.hidden }
    let taken = 0
    let count = 0
    out.clear()
    for (const entry of entries) {
      if (!('kind' in entry) || isShown(view, entry)) {
        const before = out.length
        if (count > 0) out.ascii(',')
        if ('kind' in entry) writeChangeJson(out, entry, shown, readSeqs)
        else out.text(entry.text)
        const fits = count < this.changesLeft && beside + out.length < this.bytesLeft
        // The first change of a response always fits. Otherwise the client would never advance.
        if (!fits && (count > 0 || this.conversations.length > 0)) {
          out.truncate(before)
          this.isOverflowing = true
          break
        }
        count++
      }
      taken++
    }
    return { taken, count }
  }

  /** @param isMoreDue some due conversations were not read */
  finish (isMoreDue: boolean): SyncResult {
    this.context.counts.responses++
    return { conversations: this.conversations, hasMore: this.hasMore || this.isOverflowing || isMoreDue }
  }

  private take (
    { due: { conversation, head, since }, members, unread, mentions, isOutdated, fromSeq }: ConversationScan,
    {
      changes,
      count,
      position,
      hasMore,
      bytes
    }: { changes: Buffer, count: number, position: CursorPosition, hasMore: boolean, bytes: number }
  ): void {
    const [after, until] = [since?.clock ?? -1, hasMore ? position.clock : Infinity]
    const reads = members.flatMap(({ userId, readSeq, readAt }): ReadPosition[] => {
      const at = readAt?.getTime()
      return at === undefined || at <= after || at > until
        ? []
        : [{ userId: userId.toHexString(), seq: readSeq, at: readAt!.toISOString() }]
    })
    this.changesLeft -= count
    this.bytesLeft -= bytes
    this.hasMore ||= hasMore || isOutdated
    if (since === null) this.context.counts.resets++
    this.conversations.push({
      wireId: conversation.wireId,
      kind: head.kind,
      changes,
      cursor: this.context.conversations.cursorAt(this.identity.userId, conversation, position),
      rev: position.rev,
      hasMore: hasMore || isOutdated,
      reset: since === null,
      fromSeq,
      unreadCount: unread,
      mentionCount: mentions,
      reads
    })
  }
}

/** Where the next response continues after the first `taken` entries. */
function positionAfter (
  {
    due: {
      head, view: { generation }, since
    }
  }: ConversationScan,
  entries: readonly Entry[],
  taken: number,
  hasMore: boolean
): CursorPosition {
  const clock = head.clock.getTime()
  if (!hasMore) return { rev: head.headRev, clock, generation }
  // A client that begins gets all read positions at once. The newest page may have gaps: the scan continues after its
  // revs.
  const next = entries[taken]
  if (since === null && next !== undefined) return { rev: revOf(next.rev - 1), clock, generation }
  const last = entries[taken - 1] as StoredRow
  return {
    rev: revOf(last.rev), clock: Math.max(since?.clock ?? 0, Math.min(last.updatedAt.getTime(), clock)), generation
  }
}

/** A response as JSON in UTF-8. */
export function writeSyncJson ({ conversations, hasMore }: SyncResult, serverTime: number): Buffer {
  out.clear()
  out.ascii('{"success":true,"conversations":[')
  for (const [index, conversation] of conversations.entries()) {
    if (index > 0) out.ascii(',')
    writeConversation(conversation)
  }
  out.ascii(`],"hasMore":${String(hasMore)},"serverTime":`)
  out.time(serverTime)
  out.ascii('}')
  return out.copy()
}

function writeConversation (result: ConversationResult): void {
  const { wireId, kind, changes, cursor, rev, hasMore, reset, fromSeq, unreadCount, mentionCount, reads } = result
  out.text(`{"conversationId":"${wireId}","kind":"${kind}","changes":[`)
  out.bytes(changes)
  out.ascii(`],"cursor":"${cursor}","rev":${rev},"hasMore":${String(hasMore)}`)
  if (reset) out.ascii(',"reset":true')
  if (fromSeq !== undefined) out.ascii(`,"fromSeq":${fromSeq}`)
  out.ascii(`,"unreadCount":${Math.min(unreadCount, unreadMax)}`)
  if (unreadCount > unreadMax) out.ascii(',"unreadCountCapped":true')
  out.ascii(`,"mentionCount":${Math.min(mentionCount, mentionsMax)}`)
  if (mentionCount > mentionsMax) out.ascii(',"mentionCountCapped":true')
  out.ascii(`,"reads":${JSON.stringify(reads)}}`)
}
