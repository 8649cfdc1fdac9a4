import type { ObjectId } from 'mongodb'
import { TidelogError } from '../../errors.ts'
import type { Draft } from './draft.ts'
import { type Head, type LogRow, type Member, type OwnSettings, type StateKind, memberKey, revOf, stateRowId, selfLogId, seqOf } from '../model/types.ts'
import type { Mutation, MetaPatch, NewRow, NewConversation, UnitOutcome, RowPatch, StateContent, MembershipStatus } from './mutation.ts'
import { ownSettingsOf, settingsOf, showsReadPositions } from '../model/types.ts'

/** What each kind of change does to a draft, on plain values: no I/O, no clock of its own. */

/** How a change went: what it did, or why its unit ends. */
export type MutationResult = { changed: boolean, row?: LogRow, read?: Member } | Exclude<UnitOutcome, { rows: LogRow[] }>

export function applyMutation (change: Mutation, draft: Draft, now: number): MutationResult {
  switch (change.type) {
    case 'append': {
      if (change.requiresMember !== undefined && draft.member(memberKey(change.conversationId, change.requiresMember)) === null) {
        return { outcome: draft.head(change.conversationId) === null ? 'missing' : 'notMember' }
      }
      return append(change.conversationId, change.row, change.open, draft, now)
    }
    case 'revise': return revise(change, draft, now)
    case 'member': return setMember(change, draft, now)
    case 'read': return markRead(change, draft, now)
    case 'settings': return setSettings(change, draft, now)
    case 'meta': return setMeta(change, draft, now)
    case 'purge': return purge(change, draft, now)
    case 'put': return setState(change, draft, now)
  }
}

function append (conversationId: string, row: NewRow, open: NewConversation | undefined, draft: Draft, now: number): MutationResult {
  // A row that is there, because its unit came twice, keeps its place: a second seq for it would leave a gap at the first.
  const there = draft.row(row._id.toHexString())
  if (there !== undefined) return { changed: false, row: there }
  const head = draft.head(conversationId) ?? opened(conversationId, open, draft, now)
  if (head === null || head.deleted === true) return { outcome: 'missing' }
  const at = nextTime(head, now)
  const to: LogRow = { ...row, conversationId, rev: revOf(head.headRev + 1), createdAt: at, updatedAt: at }
  if (row.kind === 'message') to.seq = seqOf(head.headSeq + 1)
  draft.writeRow(to)
  draft.moveHead(conversationId, {
    ...head, headRev: to.rev, headSeq: to.seq ?? head.headSeq, clock: at, ...(to.seq === undefined ? {} : { lastMessageAt: at }), ...mentionSeqOf(head, to)
  })
  return { changed: true, row: to }
}

function opened (conversationId: string, open: NewConversation | undefined, draft: Draft, now: number): Head | null {
  if (open === undefined) return null
  const { kind, members, ...meta } = open
  const at = new Date(now)
  for (const { userId, role } of members) {
    const key = memberKey(conversationId, userId)
    draft.writeMember(key, { _id: key, conversationId, userId, role, joinedSeq: seqOf(0), joinedRev: revOf(0), joinedAt: at, readSeq: seqOf(0) })
    putOwn(userId, 'membership', conversationId, { about: conversationId, userId, role }, draft, now)
  }
  return {
    _id: conversationId,
    kind,
    headRev: revOf(0),
    headSeq: seqOf(0),
    clock: new Date(now - 1),
    memberCount: members.length,
    createdAt: at,
    ...meta
  }
}

/**
 * Sets the row of a state; undefined where it says so already. Whoever reads the log gets the last state only, so that
 * one that changes back and forth does not make it longer.
 */
function put (head: Head, kind: StateKind, subject: string, content: StateContent, draft: Draft, now: number): { row: LogRow, head: Head } | undefined {
  const _id = stateRowId(head._id, kind, subject)
  const hex = _id.toHexString()
  const before = draft.row(hex)
  if (before !== undefined && isSame(contentOf(before), content)) return undefined
  const at = nextTime(head, now)
  // As with messages, what commits together shares the rev of the first.
  const written = draft.rowWrite(hex)?.to
  const place = written === undefined ? { rev: revOf(head.headRev + 1), updatedAt: at } : { rev: written.rev, updatedAt: written.updatedAt }
  const row: LogRow = { _id, conversationId: head._id, kind, createdAt: before?.createdAt ?? at, ...place, ...content }
  draft.writeRow(row)
  const moved = row.rev > head.headRev ? { ...head, headRev: row.rev, clock: at } : head
  draft.moveHead(head._id, moved)
  return { row, head: moved }
}

/** Sets the row of a state in a user's own log, which opens with its first row. */
function putOwn (
  userId: ObjectId, kind: 'membership' | 'read' | 'settings', conversationId: string, content: StateContent, draft: Draft, now: number
): LogRow | undefined {
  const id = selfLogId(userId)
  const done = put(draft.head(id) ?? opened(id, { kind: 'self', members: [] }, draft, now)!, kind, conversationId, content, draft, now)
  if (done !== undefined && kind === 'membership') draft.moveHead(id, { ...done.head, memberRev: done.row.rev })
  if (done !== undefined && kind === 'settings') draft.moveHead(id, { ...done.head, settingsRev: done.row.rev })
  return done?.row
}

function setState (change: Extract<Mutation, { type: 'put' }>, draft: Draft, now: number): MutationResult {
  const { conversationId, kind, subject, decide } = change
  const before = draft.row(stateRowId(conversationId, kind, subject).toHexString()) ?? null
  let content: StateContent | null
  try {
    content = decide(before)
  } catch (error) {
    return refused(error)
  }
  const unchanged: MutationResult = before === null ? { changed: false } : { changed: false, row: before }
  if (content === null) return unchanged
  const head = draft.head(conversationId) ?? opened(conversationId, change.open, draft, now)
  if (head === null) return { outcome: 'missing' }
  const done = put(head, kind, subject, content, draft, now)
  if (done === undefined) return unchanged
  const { row } = done
  if (kind === 'block') draft.moveHead(conversationId, { ...done.head, blockRev: row.rev, ...(content.on === true ? {} : { viewRev: row.rev }) })
  if (kind === 'membership' && done.head.kind === 'self') draft.moveHead(conversationId, { ...done.head, memberRev: row.rev })
  return { changed: true, row }
}

function setMeta (change: Extract<Mutation, { type: 'meta' }>, draft: Draft, now: number): MutationResult {
  const { conversationId, actor } = change
  const head = draft.head(conversationId)
  if (head === null) return { outcome: 'missing' }
  let set: MetaPatch | null
  try {
    set = change.decide(head, actor === undefined ? null : draft.member(memberKey(conversationId, actor)))
  } catch (error) {
    return refused(error)
  }
  const settings = settingsOf(head)
  const { closedSeq, ...changed } = set ?? {}
  const wanted = { ...settings, ...changed }
  if (isSame(settings, wanted)) return { changed: false }
  const done = put(head, 'meta', '', wanted, draft, now)
  // The row says so already, the head did not: nothing but the row of this batch can be meant.
  const { row, head: moved } = done ?? { row: draft.row(stateRowId(conversationId, 'meta', '').toHexString())!, head }
  draft.moveHead(conversationId, { ...moved, ...wanted, ...(closedSeq === undefined ? {} : { closedSeq }), metaRev: row.rev, ...(settings.history === wanted.history ? {} : { viewRev: row.rev }) })
  return { changed: true, row }
}

function purge ({ conversationId, throughSeq }: Extract<Mutation, { type: 'purge' }>, draft: Draft, now: number): MutationResult {
  const head = draft.head(conversationId)
  if (head === null) return { outcome: 'missing' }
  const through = seqOf(Math.min(throughSeq, head.headSeq))
  if (through <= (head.purgedSeq ?? 0)) return { changed: false }
  const done = put(head, 'purge', '', { throughSeq: through }, draft, now)!
  draft.moveHead(conversationId, { ...done.head, purgedSeq: through })
  return { changed: true, row: done.row }
}

function revise (change: Extract<Mutation, { type: 'revise' }>, draft: Draft, now: number): MutationResult {
  const hex = change.rowId.toHexString()
  const head = draft.head(change.conversationId)
  const row = draft.row(hex)
  if (head === null || row === undefined || row.conversationId !== change.conversationId) return { outcome: 'missing' }
  // Purged, and not collected yet.
  if (row.seq !== undefined && row.seq <= (head.purgedSeq ?? 0)) return { outcome: 'missing' }
  let patch: RowPatch | null
  try {
    patch = change.decide(row, { head, actor: change.actor === undefined ? null : draft.member(memberKey(change.conversationId, change.actor)) })
  } catch (error) {
    return refused(error)
  }
  if (patch === null) return { changed: false, row }
  const at = nextTime(head, now)
  // Operations on one message that commit together share the rev of the first.
  const rev = draft.rowWrite(hex)?.to.rev ?? revOf(head.headRev + 1)
  const to: LogRow = { ...row, ...patch.set, rev, updatedAt: rev === row.rev ? row.updatedAt : at }
  for (const field of patch.unset ?? []) Reflect.deleteProperty(to, field)
  draft.writeRow(to)
  const moved = rev > head.headRev ? { ...head, headRev: rev, clock: at } : head
  if (moved !== head || to.mentioned !== undefined) draft.moveHead(change.conversationId, { ...moved, ...mentionSeqOf(head, to) })
  return { changed: true, row: to }
}

function mentionSeqOf ({ mentionSeq = seqOf(0) }: Head, { seq, mentioned }: LogRow): Pick<Head, 'mentionSeq'> {
  return mentioned === undefined || seq === undefined || seq <= mentionSeq ? {} : { mentionSeq: seq }
}

function setMember (change: Extract<Mutation, { type: 'member' }>, draft: Draft, now: number): MutationResult {
  const { conversationId, userId, actor } = change
  const key = memberKey(conversationId, userId)
  const member = draft.member(key)
  const before = draft.head(conversationId)
  if (before === null && change.open === undefined) return { outcome: 'missing' }
  const row = draft.row(stateRowId(conversationId, 'membership', userId.toHexString()).toHexString())
  const standing = member?.role ?? (row?.banned === true ? 'banned' : null)
  let wanted: MembershipStatus
  try {
    wanted = typeof change.role === 'function'
      ? change.role(member, before, { standing, actor: actor === undefined ? null : draft.member(memberKey(conversationId, actor)) })
      : change.role
  } catch (error) {
    return refused(error)
  }
  if (standing === wanted) return row === undefined ? { changed: false } : { changed: false, row }
  const role = wanted === 'banned' ? null : wanted
  const head = before ?? opened(conversationId, change.open, draft, now)!
  const done = put(head, 'membership', userId.toHexString(), { userId, role, ...(wanted === 'banned' ? { banned: true } : {}) }, draft, now)
  if (done === undefined) return { changed: false }
  const { headSeq: joinedSeq } = head
  const memberCount = head.memberCount + (role === null ? 0 : 1) - (member === null ? 0 : 1)
  draft.moveHead(conversationId, { ...done.head, memberCount })
  const { rev: joinedRev, updatedAt: joinedAt } = done.row
  draft.writeMember(key, role === null
    ? null
    : member === null ? { _id: key, conversationId, userId, role, joinedSeq, joinedRev, joinedAt, readSeq: joinedSeq, ...narrowingOf(ownSettingsIn(userId, conversationId, draft) ?? {}) } : { ...member, role })
  if (role !== null || member !== null) putOwn(userId, 'membership', conversationId, { about: conversationId, userId, role }, draft, now)
  return { changed: true, row: done.row }
}

function setSettings ({ conversationId, userId, decide }: Extract<Mutation, { type: 'settings' }>, draft: Draft, now: number): MutationResult {
  const head = draft.head(conversationId)
  const key = memberKey(conversationId, userId)
  const member = draft.member(key)
  if (head === null || head.deleted === true) return { outcome: 'missing' }
  if (member === null && head.kind !== 'common') return { outcome: 'notMember' }
  const before = ownSettingsIn(userId, conversationId, draft)
  let wanted: OwnSettings
  try {
    wanted = decide(ownSettingsOf(before), head)
  } catch (error) {
    return refused(error)
  }
  // Nothing is set, and nothing was: there is no row for that.
  if (before === undefined && isSame({}, wanted)) return { changed: false }
  const row = putOwn(userId, 'settings', conversationId, { about: conversationId, ...ownSettingsOf(wanted) }, draft, now)
  if (row === undefined) return before === undefined ? { changed: false } : { changed: false, row: before }
  if (member !== null && !isSame(narrowingOf(member), narrowingOf(row))) {
    draft.writeMember(key, { ...member, ...narrowingOf(row) })
    const selfId = selfLogId(userId)
    draft.moveHead(selfId, { ...draft.head(selfId)!, memberRev: row.rev })
  }
  return { changed: true, row }
}

function ownSettingsIn (userId: ObjectId, conversationId: string, draft: Draft): LogRow | undefined {
  return draft.row(stateRowId(selfLogId(userId), 'settings', conversationId).toHexString())
}

/** What of somebody's settings decides on what they see. */
function narrowingOf ({ clearedSeq, hiddenSeqs }: OwnSettings): OwnSettings {
  return { ...(clearedSeq === undefined ? {} : { clearedSeq }), ...(hiddenSeqs === undefined ? {} : { hiddenSeqs }) }
}

/** Whoever reads a conversation does not want it marked as unread any more. */
function endMarkedUnread (userId: ObjectId, conversationId: string, draft: Draft, now: number): boolean {
  const { markedUnread, ...settings } = ownSettingsOf(ownSettingsIn(userId, conversationId, draft))
  return markedUnread === true && putOwn(userId, 'settings', conversationId, { about: conversationId, ...settings }, draft, now) !== undefined
}

function markRead (change: Extract<Mutation, { type: 'read' }>, draft: Draft, now: number): MutationResult {
  const { conversationId, userId } = change
  const key = memberKey(conversationId, userId)
  const head = draft.head(conversationId)
  const member = draft.member(key)
  if (head === null) return { outcome: 'missing' }
  if (member === null) return { outcome: 'notMember' }
  const { shownSeq, ...before } = member
  const readSeq = seqOf(Math.max(member.readSeq, Math.min(change.seq, head.headSeq)))
  const isUnmarked = endMarkedUnread(userId, conversationId, draft, now)
  if (readSeq === member.readSeq && (shownSeq === undefined || change.isUnseen === true)) return { changed: isUnmarked, read: member }
  const at = nextTime(head, now)
  const read: Member = change.isUnseen === true
    ? { ...member, readSeq, shownSeq: shownSeq ?? member.readSeq }
    : { ...before, readSeq, readAt: at, readTrail: [...(member.readTrail ?? []).slice(1 - readTrailMax), { seq: readSeq, at }] }
  draft.writeMember(key, read)
  // Where nobody else is told, the conversation has not changed: the own log's head stands for it.
  if (showsReadPositions(head) && change.isUnseen !== true) draft.moveHead(conversationId, { ...head, clock: at, lastReadAt: at })
  putOwn(userId, 'read', conversationId, { about: conversationId, readSeq, readAt: at }, draft, now)
  return { changed: true, read }
}

/** A member as the others see them. */
export function asShown (member: Member): Member {
  return member.shownSeq === undefined ? member : { ...member, readSeq: member.shownSeq }
}

function contentOf ({ _id, conversationId, rev, kind, createdAt, updatedAt, ...content }: LogRow): StateContent {
  return content
}

/** Contents of states are small and flat; ids and times are compared by their text. */
function isSame (a: object, b: object): boolean {
  const text = (value: object) => JSON.stringify(Object.entries(value).filter(([, field]) => field !== undefined).sort(([one], [other]) => one < other ? -1 : 1))
  return text(a) === text(b)
}

/** A rule that breaks ends its own unit only, not the others of its batch. */
function refused (error: unknown): MutationResult {
  return { outcome: 'refused', error: error instanceof TidelogError ? error : new TidelogError('INTERNAL', undefined, { cause: error }) }
}

/** Moves of a read position that a member remembers. */
const readTrailMax = 8

/** Times of a conversation strictly increase, whatever the node's clock says: a time is then a cursor too. */
function nextTime (head: Head, now: number): Date {
  return new Date(Math.max(now, head.clock.getTime() + 1))
}
