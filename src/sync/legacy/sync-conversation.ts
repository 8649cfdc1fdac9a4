import type { ChatContext } from '../../chat/context.ts'
import { directId, objectId } from '../../chat/rules/conversation-id.ts'
import {
  type References, type ReadSeqs, loadReferences, noReferences, noReads
} from '../../chat/payload/message-payload.ts'
import { TidelogError } from '../../errors.ts'
import type { DecodedCursor } from '../../log/read/cursor.ts'
import { indexNames } from '../../log/model/collections.ts'
import { type Page, changesAfter, changesSince, pageEndRev } from '../../log/read/page.ts'
import { asShown } from '../../log/commit/apply-mutation.ts'
import { scanLog } from '../../log/read/scan.ts'
import type { StoredRow } from '../../log/read/stored-row.ts'
import { type Head, type Member, type Rev, type Seq, revOf, seqOf } from '../../log/model/types.ts'
import type { ReadPosition, SyncConversationInput } from '../../schemas/sync.ts'
import { pageTime, readRangeSince } from './page-time.ts'
import { parseTimestamp, refuseFuture } from './timestamp.ts'
import type { Identity } from '../../users/identity.ts'
import { canResume } from '../../log/read/cursor.ts'

/** The time for a client that has nothing: any later time could be ahead of the first message's clock. */
const beginning = new Date(0)
/** The caller's messages that one response repeats because they were read. */
const readAgainMax = 100

/** The response. `writeConversationJson` makes its body. */
export interface ConversationSync {
  /** By ascending seq, the order of creation. */
  rows: StoredRow[]
  people: References
  readSeqs: ReadSeqs
  syncTime: Date
  cursor: string
  hasMore: boolean
  reads: ReadPosition[]
  reset: boolean
  /** Messages up to this seq are purged. 0: none. */
  purgedSeq: Seq
}

/** The client has everything up to a time, or, exactly, up to a rev. */
interface ResumePoint {
  since: Date
  /** The cursor's rev. Undefined: the client sent only a time. */
  rev: Rev | undefined
  reset: boolean
}

/**
 * The changes of a direct conversation for a client that syncs by time or by cursor. If there are none, the call costs
 * one read of the head.
 * @throws TidelogError VALIDATION (an invalid time, or one in the future), BAD_CURSOR
 */
export async function syncConversation (
  context: ChatContext, identity: Identity, input: SyncConversationInput
): Promise<ConversationSync> {
  const conversationId = directId(identity.userId, input.otherUserId.toLowerCase())
  const wanted = parseInput(context, identity, conversationId, input)
  const head = await context.log.head(conversationId)
  refuseFuture('lastSyncTimestamp', wanted.since, context.now(), head?.clock)
  const position = positionOf(wanted, head)
  const { since, rev, reset } = position
  if (head === undefined) {
    return answer(context, identity, conversationId, { rev: revOf(0), syncTime: beginning, reset })
  }
  if (since >= head.clock && (rev === undefined || rev >= head.headRev)) {
    return answer(context, identity, conversationId, {
      rev: head.headRev, syncTime: head.clock, reset, purgedSeq: purgedSeqOf(head)
    })
  }
  return await readChanges(context, identity, input, head, position)
}

/** The response to a client that lacks changes up to the head. */
async function readChanges (
  context: ChatContext, identity: Identity, input: SyncConversationInput, head: Head, position: ResumePoint
): Promise<ConversationSync> {
  const { _id: conversationId } = head
  const { since, rev, reset } = position
  const otherId = objectId(input.otherUserId.toLowerCase())
  const [page, mine, theirs] = await Promise.all([
    scan(context, position, head, input.limit ?? 100),
    context.log.member(conversationId, identity.id),
    context.log.member(conversationId, otherId).then(member => member === undefined ? undefined : asShown(member))
  ])
  const withDeleted = input.includeDeleted === true || rev !== undefined
  const found = page.rows.filter(row => row.kind === 'message' && (withDeleted || !row.isDeleted))
  const syncTime = pageTime(page, head)
  // A client that syncs only by cursor learns of reads by read position.
  if (rev === undefined || input.lastSyncTimestamp != null) {
    found.push(
      ...(await rereadMessages(
        context, identity, conversationId, found, readRangeSince(theirs, since, page.hasMore ? syncTime : null)
      ))
    )
  }
  // Read after the scans: if a purge deleted rows during a scan, this response must say so.
  const purgedSeq = purgedSeqOf(await context.log.head(conversationId) ?? head)
  const { clearedSeq = 0, hiddenSeqs = [] } = mine ?? {}
  const rows = found
    .filter(({ seq }) => seq! > purgedSeq && seq! > clearedSeq && !hiddenSeqs.includes(seq!))
    .sort((a, b) => a.seq! - b.seq!)

  const people = loadReferences(context, rows)
  const readSeqs = new Map(
    [mine, theirs].flatMap(member =>
      member === undefined ? [] : [[member.userId.toHexString(), member.readSeq] as const]
    )
  )
  return answer(context, identity, conversationId, {
    rev: pageEndRev(page, head, rev ?? revOf(0)),
    syncTime,
    reset,
    rows,
    people: people instanceof Promise ? await people : people,
    readSeqs,
    hasMore: page.hasMore,
    purgedSeq,
    reads: [mine, theirs].flatMap(member => readPositionOf(member, since))
  })
}

/** The position that the client sent. */
interface Wanted {
  since: Date | undefined
  cursor: DecodedCursor | undefined
}

function parseInput (
  context: ChatContext, identity: Identity, conversationId: string, { lastSyncTimestamp, cursor }: SyncConversationInput
): Wanted {
  const since = lastSyncTimestamp == null ? undefined : parseTimestamp('lastSyncTimestamp', lastSyncTimestamp)
  if (cursor == null) return { since, cursor: undefined }
  const decoded = context.log.cursors.decode(identity.userId, conversationId, cursor)
  if (decoded === null) throw new TidelogError('BAD_CURSOR')
  return { since, cursor: decoded }
}

/**
 * The place where the client's page begins. If its cursor cannot be resumed, that is the beginning, and the response is
 * a reset.
 */
function positionOf ({ since, cursor }: Wanted, head: Head | undefined): ResumePoint {
  if (cursor === undefined) return { since: since ?? beginning, rev: undefined, reset: false }
  return canResume(cursor, head)
    ? { since: since ?? new Date(cursor.clock), rev: cursor.rev, reset: false }
    : { since: beginning, rev: revOf(0), reset: true }
}

function purgedSeqOf ({ purgedSeq }: Head): Seq {
  return purgedSeq ?? seqOf(0)
}

async function scan ({ log }: ChatContext, { since, rev }: ResumePoint, head: Head, limit: number): Promise<Page> {
  if (rev !== undefined) {
    return rev >= head.headRev
      ? { rows: [], hasMore: false }
      : await changesAfter(log.collections, head._id, rev, limit)
  }
  return since >= head.clock
    ? { rows: [], hasMore: false }
    : await changesSince(log.collections, head._id, since, limit)
}

/** The caller's newest read messages, without those that are in the page. */
async function rereadMessages (
  { log }: ChatContext,
  { id }: Identity,
  conversationId: string,
  rows: readonly StoredRow[],
  range: ReturnType<typeof readRangeSince>
): Promise<StoredRow[]> {
  if (range === null) return []
  const filter = {
    conversationId, seq: { $gt: range.after, $lte: range.through }, senderId: id, isDeleted: { $exists: false as const }
  }
  const read = await scanLog(log.collections.rows, {
    filter, sort: { seq: -1 }, hint: indexNames.bySeq, limit: readAgainMax
  })
  const held = new Set(rows.map(row => row.seq))
  return read.rows.filter(row => !held.has(row.seq))
}

function readPositionOf (member: Member | undefined, since: Date): ReadPosition[] {
  return member?.readAt === undefined || member.readAt <= since
    ? []
    : [{ userId: member.userId.toHexString(), seq: member.readSeq, at: member.readAt.toISOString() }]
}

function answer (
  { log }: ChatContext, { userId }: Identity, conversationId: string,
  { rev, ...found }: Partial<ConversationSync> & { rev: Rev, syncTime: Date, reset: boolean }
): ConversationSync {
  return {
    rows: [],
    people: noReferences,
    readSeqs: noReads,
    hasMore: false,
    reads: [],
    purgedSeq: seqOf(0),
    cursor: log.cursors.encode(userId, conversationId, { rev, clock: found.syncTime.getTime(), generation: 0 }),
    ...found
  }
}
