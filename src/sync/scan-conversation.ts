import { objectId, parseConversationId } from '../chat/rules/conversation-id.ts'
import { apartFrom } from '../chat/directories/block-directory.ts'
import { commonReadSeq } from '../chat/directories/membership-directory.ts'
import { type ReadSeqs, noReads } from '../chat/payload/message-payload.ts'
import { isShown } from '../chat/rules/view.ts'
import { scanLog } from '../log/read/scan.ts'
import { changesAfter, messagesBefore } from '../log/read/page.ts'
import { asShown } from '../log/commit/apply-mutation.ts'
import type { StoredRow } from '../log/read/stored-row.ts'
import { type Head, type Member, type Rev, type Seq, revOf, seqOf, stateRowId } from '../log/model/types.ts'
import type { SyncContext } from './context.ts'
import type { DueConversation } from './due.ts'
import type { Identity } from '../users/identity.ts'
import { settingsOf, showsReadPositions } from '../log/model/types.ts'

/** Messages of a snapshot page, at most. */
export const snapshotMessagesMax = 50

/** How a conversation begins: with this many of its newest messages, or with all from the first one. */
export type Newest = number | 'all'

/** A room's settings from its head, with the rev at which they were set. */
export interface SettingsEntry {
  rev: number
  text: string
}

/** The result of reading one conversation for a response. */
export interface ConversationScan {
  due: DueConversation
  /** As scanned: ascending revs up to the head, hidden rows included. */
  rows: StoredRow[]
  /** There are more rows between the last one and the head. */
  hasMore: boolean
  /** A row up to the head has changed or was deleted since the head was read, and is not in `rows`. */
  isOutdated: boolean
  /** For a conversation that begins: it is complete from this seq on, once `hasMore` is false. */
  fromSeq: Seq | undefined
  meta: SettingsEntry | undefined
  members: Member[]
  readSeqs: ReadSeqs
  unread: number
  mentions: number
}

/** Reads the changes of one due conversation, at most `limit`. */
export async function scanConversation (
  context: SyncContext,
  identity: Identity,
  due: DueConversation,
  { limit, snapshotPage }: { limit: number, snapshotPage: Newest }
): Promise<ConversationScan> {
  const { head, conversation } = due
  const [page, mine, members] = await Promise.all([
    pageOf(context, due, limit, snapshotPage),
    conversation.joined === undefined ? undefined : context.chat.log.member(head._id, identity.id),
    readersOf(context, identity, due)
  ])
  const [unread, mentions] = await Promise.all([
    mine === undefined ? 0 : context.unread.count(identity, head, mine.readSeq, due.view),
    mentionsOf(context, identity, due, mine)
  ])
  return {
    due,
    ...page,
    members,
    readSeqs:
      head.kind === 'direct'
        ? new Map(members.map(member => [member.userId.toHexString(), member.readSeq]))
        : noReads,
    unread,
    mentions
  }
}

async function mentionsOf (
  { chat }: SyncContext, identity: Identity, { head, view }: DueConversation, mine: Member | undefined
): Promise<number> {
  if (head.mentionSeq === undefined || (mine === undefined && head.kind !== 'common')) return 0
  const readSeq = mine?.readSeq ?? await commonReadSeq(chat.log, identity.userId)
  return await chat.mentions.count(identity, head, readSeq, view)
}

type Begun = Scanned & Pick<ConversationScan, 'fromSeq' | 'meta'>

async function pageOf (context: SyncContext, due: DueConversation, limit: number, newest: Newest): Promise<Begun> {
  const { head, conversation, since, view } = due
  if (since !== null) return { ...await scan(context, head, since.rev, limit), ...notBegun }
  if (conversation.wireId === 'self') return { ...await scan(context, head, revOf(0), limit), ...notBegun }
  if (newest !== 'all') {
    const [messages, pins] = await Promise.all([newestOf(context, due, newest), pinsOf(context, head)])
    return { ...messages, ...joined(messages, pins), meta: head.kind === 'room' ? settingsEntryOf(head) : undefined }
  }
  // Every visible message has a rev above this: its rev is at least its seq, and is higher than the joining's.
  const joinedRev = head.history === 'joined' ? conversation.joined?.joinedRev ?? 1 : 1
  const start = revOf(Math.max(view.afterSeq, joinedRev - 1))
  const isToldByRow = (head.metaRev ?? 0) > start
  const pins = (head.pinsRev ?? 0) > start ? nothing : await pinsOf(context, head)
  return {
    ...joined(pins, await scan(context, head, start, limit)),
    fromSeq: seqOf(view.afterSeq + 1),
    meta: head.kind === 'room' && !isToldByRow ? settingsEntryOf(head) : undefined
  }
}

const notBegun = { fromSeq: undefined, meta: undefined }

function settingsEntryOf (head: Head): SettingsEntry {
  const rev = head.metaRev ?? 1
  return { rev, text: JSON.stringify({ rev, kind: 'meta', ...settingsOf(head) }) }
}

type Scanned = Pick<ConversationScan, 'rows' | 'hasMore' | 'isOutdated'>

async function scan ({ chat: { log } }: SyncContext, head: Head, after: Rev, limit: number): Promise<Scanned> {
  if (after >= head.headRev) return nothing
  const page = await changesAfter(log.collections, head._id, after, limit)
  // A row that changed after the head was read comes with the next call, which checks access again.
  const rows = upTo(head, page.rows)
  const hasMore = page.hasMore && rows.length === page.rows.length && rows.at(-1)!.rev < head.headRev
  // Rows after a full page that ends at the head were not read: any of them may have moved there.
  return { rows, hasMore, isOutdated: hasMoved(head, page.rows) || (page.hasMore && !hasMore) }
}

async function newestOf (
  { chat: { log } }: SyncContext, { head, view }: DueConversation, count: number
): Promise<Scanned & { fromSeq: Seq }> {
  const beginning = seqOf(view.afterSeq + 1)
  if (count === 0 || head.headSeq < beginning) {
    return { ...nothing, fromSeq: seqOf(Math.max(head.headSeq + 1, beginning)) }
  }
  const { rows, hasMore } = await messagesBefore(log.collections, head._id, undefined, count)
  const shown = upTo(head, rows).filter(row => isShown(view, row)).sort((a, b) => a.rev - b.rev)
  const fromSeq = seqOf(Math.max(hasMore ? rows.at(-1)!.seq! : 0, beginning))
  return { rows: shown, hasMore: false, isOutdated: hasMoved(head, rows), fromSeq }
}

/** The row of the pins, for a conversation that begins. Other pages have it at its rev. */
async function pinsOf ({ chat: { log } }: SyncContext, head: Head): Promise<Scanned> {
  if (head.pinsRev === undefined) return nothing
  const filter = { conversationId: head._id, _id: stateRowId(head._id, 'pins', '') }
  const { rows } = await scanLog(log.collections.rows, { filter, sort: { rev: 1 }, hint: '_id_', limit: 1 })
  return { rows: upTo(head, rows), hasMore: false, isOutdated: hasMoved(head, rows) }
}

function joined (a: Scanned, b: Scanned): Scanned {
  return {
    rows: [...a.rows, ...b.rows].sort((one, other) => one.rev - other.rev),
    hasMore: a.hasMore || b.hasMore,
    isOutdated: a.isOutdated || b.isOutdated
  }
}

const nothing: Scanned = { rows: [], hasMore: false, isOutdated: false }

function upTo ({ headRev }: Head, rows: StoredRow[]): StoredRow[] {
  return rows.every(({ rev }) => rev <= headRev) ? rows : rows.filter(({ rev }) => rev <= headRev)
}

/**
 * Did one of these rows exist when the head was read, in an older form? Times of a conversation increase with its revs.
 */
function hasMoved ({ headRev, clock }: Head, rows: StoredRow[]): boolean {
  return rows.some(({ rev, createdMs }) => rev > headRev && createdMs <= clock.getTime())
}

/**
 * Members whose read positions the client may need. In a direct conversation always both, because messages show them.
 */
async function readersOf (
  { chat: { log, blocks } }: SyncContext, { id, userId }: Identity, { head, since }: DueConversation
): Promise<Member[]> {
  const ref = parseConversationId(head._id)
  if (ref?.kind === 'direct') {
    const both = await Promise.all(ref.userIds.map(userId => log.member(head._id, objectId(userId))))
    return both
      .filter(member => member !== undefined)
      .map(member => (member.userId.equals(id) ? member : asShown(member)))
  }
  const moved = since === null || (head.lastReadAt !== undefined && head.lastReadAt.getTime() > since.clock)
  if (ref?.kind !== 'room' || !moved || !showsReadPositions(head)) return []
  const members = await log.collections.members
    .find({ conversationId: head._id }, { projection: { readTrail: 0 } })
    .hint('conversation_user')
    .toArray()
  const told = members.filter(
    ({ readAt }) => readAt !== undefined && (since === null || readAt.getTime() > since.clock)
  )
  const apart = await apartFrom(
    blocks, userId, told.map(member => member.userId.toHexString())
  )
  return told.filter(member => !apart.has(member.userId.toHexString()))
}
