import { TidelogError } from '../../errors.ts'
import type { CursorPosition } from '../../log/read/cursor.ts'
import { messagesAfter, messagesBefore } from '../../log/read/page.ts'
import type { StoredRow } from '../../log/read/stored-row.ts'
import { type Head, type Seq, revOf, seqOf } from '../../log/model/types.ts'
import type { ChatContext } from '../context.ts'
import { directId } from '../rules/conversation-id.ts'
import { requireAccess } from '../access/access.ts'
import { type StoredMessages, writeMessagesJson } from '../payload/message-json.ts'
import { loadReferences, noReferences, noReads } from '../payload/message-payload.ts'
import { readSeqsOf } from '../payload/read-seqs.ts'
import { callerView } from '../access/caller-view.ts'
import { type View, isShown } from '../rules/view.ts'
import type { Identity } from '../../users/identity.ts'

/** The page to read: the newest messages, or those next to a seq. Name at most one of the three. */
export interface HistoryInput {
  before?: number
  after?: number
  /** The page surrounds this seq. */
  around?: number
  limit?: number
}

/**
 * A part of a conversation in ascending seq. It is complete from `afterSeq` to its last message: a seq missing in
 * between is hidden from the caller.
 */
interface Stretch {
  rows: StoredRow[]
  fromSeq: Seq
  hasOlder: boolean
  hasNewer: boolean
}

/** A stretch of messages, including tombstones. */
export interface HistoryPage extends StoredMessages, Omit<Stretch, 'rows'> {
  /** Syncing from this cursor delivers every change that this page may have missed. */
  asOf: { rev: number, cursor: string }
}

/**
 * A page of a conversation's messages.
 * @throws TidelogError NOT_FOUND to a stranger, NOT_ALLOWED for a public room that the caller has not joined,
 * VALIDATION
 */
export async function readHistory (
  context: ChatContext, identity: Identity, conversationId: string, input: HistoryInput
): Promise<HistoryPage> {
  if ([input.before, input.after, input.around].filter(place => place !== undefined).length > 1) {
    throw new TidelogError('VALIDATION', 'Name one of before, after and around')
  }
  // Read the head first: a change during the scan is then newer than `asOf`.
  const { ref, head, member } = await requireAccess(context, identity, conversationId)
  if (head === undefined) {
    return {
      rows: [],
      people: noReferences,
      readSeqs: noReads,
      fromSeq: seqOf(1),
      hasOlder: false,
      hasNewer: false,
      asOf: asOf(context, identity, ref.conversationId, { rev: revOf(0), clock: 0, generation: 0 })
    }
  }
  const view = await callerView(context, identity, head, member)
  if (view === null) throw new TidelogError('NOT_FOUND')
  const [stretch, readSeqs] = await Promise.all([
    stretchOf(context, head, view, input), readSeqsOf(context, head._id, identity.userId)
  ])
  return {
    ...stretch,
    people: { ...await loadReferences(context, stretch.rows), hidden: view.hidden },
    readSeqs,
    asOf: asOf(context, identity, head._id, {
      rev: head.headRev, clock: head.clock.getTime(), generation: view.generation
    })
  }
}

async function stretchOf (
  context: ChatContext, head: Head, view: View, { before, after, around, limit = 50 }: HistoryInput
): Promise<Stretch> {
  if (after !== undefined) return await newer(context, head, view, seqOf(after), limit)
  if (around === undefined) {
    return await older(context, head, view, before === undefined ? undefined : seqOf(before), limit)
  }
  const middle = seqOf(Math.max(around, view.afterSeq + 1))
  const [below, above] = await Promise.all([
    older(context, head, view, middle, Math.floor(limit / 2)),
    newer(context, head, view, seqOf(middle - 1), Math.ceil(limit / 2))
  ])
  return {
    rows: [...below.rows, ...above.rows], fromSeq: below.fromSeq, hasOlder: below.hasOlder, hasNewer: above.hasNewer
  }
}

/**
 * The newest visible messages, or those before a seq. An empty page means the beginning; otherwise a client could not
 * ask for the next page.
 */
async function older (
  { log }: ChatContext, head: Head, view: View, before: Seq | undefined, limit: number
): Promise<Stretch> {
  const hasNewer = before !== undefined && before <= head.headSeq
  const beginning = seqOf(view.afterSeq + 1)
  if (limit === 0) return { rows: [], fromSeq: before ?? beginning, hasOlder: (before ?? 0) > beginning, hasNewer }
  for (let end = before; ;) {
    const { rows, hasMore } = await messagesBefore(log.collections, head._id, end, limit)
    const last = rows.at(-1)?.seq
    const hasOlder = hasMore && last !== undefined && last > beginning
    const shown = rows.filter(row => isShown(view, row)).reverse()
    if (shown.length > 0 || !hasOlder) return { rows: shown, fromSeq: hasOlder ? last : beginning, hasOlder, hasNewer }
    end = last
  }
}

/** The messages after a seq, up to the head. An empty page means the end. */
async function newer ({ log }: ChatContext, head: Head, view: View, after: Seq, limit: number): Promise<Stretch> {
  const start = seqOf(Math.max(after, view.afterSeq))
  const stretch = { fromSeq: seqOf(start + 1), hasOlder: start > view.afterSeq }
  for (let from = start; ;) {
    const { rows, hasMore } = await messagesAfter(log.collections, head._id, from, head.headSeq, limit)
    const shown = rows.filter(row => isShown(view, row))
    const last = rows.at(-1)?.seq
    if (shown.length > 0 || !hasMore || last === undefined) return { rows: shown, ...stretch, hasNewer: hasMore }
    from = last
  }
}

function asOf (
  { log }: ChatContext, { userId }: Identity, conversationId: string, position: CursorPosition
): HistoryPage['asOf'] {
  return { rev: position.rev, cursor: log.cursors.encode(userId, conversationId, position) }
}

/**
 * The page of a conversation with another user; empty if the conversation has no messages.
 * @throws TidelogError USER_NOT_FOUND
 */
export async function readDirectHistory (
  context: ChatContext, identity: Identity, otherUserId: string, page: HistoryInput
): Promise<HistoryPage> {
  const other = otherUserId.toLowerCase()
  const found = await readHistory(context, identity, directId(identity.userId, other), page)
  if (found.asOf.rev === 0 && await context.users.get(other) === undefined) throw new TidelogError('USER_NOT_FOUND')
  return found
}

/** The page as JSON. `hasOlder` is named `hasMore`, as in the routes of one kind of conversation. */
export function writeHistoryJson (page: HistoryPage): Buffer {
  return writeMessagesJson(page, `"hasMore":${String(page.hasOlder)},${asOfJson(page)}`)
}

/** The page as JSON. */
export function writeStretch (page: HistoryPage): Buffer {
  const ends = `"hasOlder":${String(page.hasOlder)},"hasNewer":${String(page.hasNewer)}`
  return writeMessagesJson(page, `"fromSeq":${page.fromSeq},${asOfJson(page)},${ends}`)
}

const asOfJson = ({ asOf: { rev, cursor } }: HistoryPage): string => `"asOf":{"rev":${rev},"cursor":"${cursor}"}`
