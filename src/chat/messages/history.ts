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

/** Which messages: the newest, or those next to a seq. At most one of the three is named. */
export interface HistoryInput {
  before?: number
  after?: number
  /** This seq is in the middle. */
  around?: number
  limit?: number
}

/**
 * A part of a conversation in ascending seq: whole from `afterSeq` up to its last message, so that a seq which is missing
 * in between is not for the caller.
 */
interface Stretch {
  rows: StoredRow[]
  fromSeq: Seq
  hasOlder: boolean
  hasNewer: boolean
}

/** A stretch of messages, tombstones among them. */
export interface HistoryPage extends StoredMessages, Omit<Stretch, 'rows'> {
  /** A client that syncs from here learns of every change that this page may not show. */
  asOf: { rev: number, cursor: string }
}

/**
 * A page of a conversation's messages.
 * @throws TidelogError NOT_FOUND to a stranger, NOT_ALLOWED for a public room that was not joined, VALIDATION
 */
export async function readHistory (context: ChatContext, identity: Identity, conversationId: string, input: HistoryInput): Promise<HistoryPage> {
  if ([input.before, input.after, input.around].filter(place => place !== undefined).length > 1) {
    throw new TidelogError('VALIDATION', 'Name one of before, after and around')
  }
  // The head comes first: what changes during the scan is then newer than `asOf`.
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
  const [stretch, readSeqs] = await Promise.all([stretchOf(context, head, view, input), readSeqsOf(context, head._id, identity.userId)])
  return {
    ...stretch,
    people: { ...await loadReferences(context, stretch.rows), hidden: view.hidden },
    readSeqs,
    asOf: asOf(context, identity, head._id, { rev: head.headRev, clock: head.clock.getTime(), generation: view.generation })
  }
}

async function stretchOf (context: ChatContext, head: Head, view: View, { before, after, around, limit = 50 }: HistoryInput): Promise<Stretch> {
  if (after !== undefined) return await newer(context, head, view, seqOf(after), limit)
  if (around === undefined) return await older(context, head, view, before === undefined ? undefined : seqOf(before), limit)
  const middle = seqOf(Math.max(around, view.afterSeq + 1))
  const [below, above] = await Promise.all([
    older(context, head, view, middle, Math.floor(limit / 2)), newer(context, head, view, seqOf(middle - 1), Math.ceil(limit / 2))
  ])
  return { rows: [...below.rows, ...above.rows], fromSeq: below.fromSeq, hasOlder: below.hasOlder, hasNewer: above.hasNewer }
}

/** The newest that is shown, or what is before a seq. It is empty only at the beginning, or nobody could ask for the next one. */
async function older ({ log }: ChatContext, head: Head, view: View, before: Seq | undefined, limit: number): Promise<Stretch> {
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

/** What follows a seq, up to the head; empty only at the end. */
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

function asOf ({ log }: ChatContext, { userId }: Identity, conversationId: string, position: CursorPosition): HistoryPage['asOf'] {
  return { rev: position.rev, cursor: log.cursors.encode(userId, conversationId, position) }
}

/** The page of a conversation with another user, empty where nobody has written yet. @throws TidelogError USER_NOT_FOUND */
export async function readDirectHistory (context: ChatContext, identity: Identity, otherUserId: string, page: HistoryInput): Promise<HistoryPage> {
  const other = otherUserId.toLowerCase()
  const found = await readHistory(context, identity, directId(identity.userId, other), page)
  if (found.asOf.rev === 0 && await context.users.get(other) === undefined) throw new TidelogError('USER_NOT_FOUND')
  return found
}

/** The page as JSON, with `hasMore` as the routes of one kind of conversation call `hasOlder`. */
export function writeHistoryJson (page: HistoryPage): Buffer {
  return writeMessagesJson(page, `"hasMore":${String(page.hasOlder)},${asOfJson(page)}`)
}

/** The page as JSON. */
export function writeStretch (page: HistoryPage): Buffer {
  return writeMessagesJson(page, `"fromSeq":${page.fromSeq},${asOfJson(page)},"hasOlder":${String(page.hasOlder)},"hasNewer":${String(page.hasNewer)}`)
}

const asOfJson = ({ asOf: { rev, cursor } }: HistoryPage): string => `"asOf":{"rev":${rev},"cursor":"${cursor}"}`
