import type { ObjectId } from 'mongodb'
import { TidelogError } from '../../errors.ts'
import type { Draft } from './draft.ts'
import { endPins, pinsIn, setPins } from './pins.ts'
import { isSame, narrowingOf, nextTime, openConversation, ownSettingsIn, put, putSelf } from './state-row.ts'
import {
  type Head, type LogRow, type Member, type OwnSettings, memberKey, nameKeyOf, ownSettingsOf, pinsMax, revOf, selfLogId,
  seqOf, settingsOf, showsReadPositions, stateRowId
} from '../model/types.ts'
import type {
  Announcement, MembershipStatus, MetaPatch, Mutation, NewConversation, NewRow, RowPatch, StateContent, UnitOutcome
} from './mutation.ts'

/** Applies each kind of mutation to a draft of plain values: no I/O, no clock of its own. */

/** What a mutation did, or the outcome that ends its unit. */
export type MutationResult =
  | { changed: boolean, row?: LogRow, read?: Member }
  | Exclude<UnitOutcome, { rows: LogRow[] }>

export function applyMutation (mutation: Mutation, draft: Draft, now: number): MutationResult {
  switch (mutation.type) {
    case 'append': return send(mutation, draft, now)
    case 'revise': return revise(mutation, draft, now)
    case 'member': return setMember(mutation, draft, now)
    case 'read': return markRead(mutation, draft, now)
    case 'settings': return setSettings(mutation, draft, now)
    case 'meta': return setMeta(mutation, draft, now)
    case 'pin': return pin(mutation, draft, now)
    case 'purge': return purge(mutation, draft, now)
    case 'put': return setState(mutation, draft, now)
  }
}

function send (mutation: Extract<Mutation, { type: 'append' }>, draft: Draft, now: number): MutationResult {
  const { conversationId, row, open, requiresMember, rule } = mutation
  if (requiresMember === undefined) return append(conversationId, row, open, draft, now)
  const head = draft.head(conversationId)
  const key = memberKey(conversationId, requiresMember)
  const sender = draft.member(key)
  if (head === null || sender === null) return { outcome: head === null ? 'missing' : 'notMember' }
  // A unit that came twice is no second message.
  const isNew = draft.row(row._id.toHexString()) === undefined
  try {
    if (isNew) rule?.(sender, head, nextTime(head, now))
  } catch (error) {
    return refused(error)
  }
  const done = append(conversationId, row, open, draft, now)
  const isSlow = (head.slowModeS ?? 0) > 0
  if (isSlow && isNew && 'row' in done) draft.writeMember(key, { ...sender, sentAt: done.row!.createdAt })
  return done
}

/** Appends the message that tells of a change. */
function announce<C> (
  tell: Announcement<C> | undefined, conversationId: string, change: C, draft: Draft, now: number
): void {
  const head = draft.head(conversationId)
  const row = head === null ? undefined : tell?.(head, change)
  if (row !== undefined) append(conversationId, row, undefined, draft, now)
}

function append (
  conversationId: string, row: NewRow, open: NewConversation | undefined, draft: Draft, now: number
): MutationResult {
  // If the unit came twice, its row keeps its rev and seq: a second seq would leave a gap at the first.
  const existing = draft.row(row._id.toHexString())
  if (existing !== undefined) return { changed: false, row: existing }
  const head = draft.head(conversationId) ?? openConversation(conversationId, open, draft, now)
  if (head === null || head.deleted === true) return { outcome: 'missing' }
  const at = nextTime(head, now)
  const to: LogRow = { ...row, conversationId, rev: revOf(head.headRev + 1), createdAt: at, updatedAt: at }
  if (row.kind === 'message') to.seq = seqOf(head.headSeq + 1)
  draft.writeRow(to)
  draft.moveHead(conversationId, {
    ...head,
    headRev: to.rev,
    headSeq: to.seq ?? head.headSeq,
    clock: at,
    ...(isActivity(to, head) ? { lastMessageAt: at } : {}),
    ...mentionSeqOf(head, to)
  })
  return { changed: true, row: to }
}

/** An announcement is no activity, unless nothing else was written yet. */
function isActivity ({ seq, system }: LogRow, { lastMessageAt }: Head): boolean {
  return seq !== undefined && (system === undefined || lastMessageAt === undefined)
}

function setState (mutation: Extract<Mutation, { type: 'put' }>, draft: Draft, now: number): MutationResult {
  const { conversationId, kind, subject, decide } = mutation
  const before = draft.row(stateRowId(conversationId, kind, subject).toHexString()) ?? null
  let content: StateContent | null
  try {
    content = decide(before)
  } catch (error) {
    return refused(error)
  }
  const unchanged: MutationResult = before === null ? { changed: false } : { changed: false, row: before }
  if (content === null) return unchanged
  const head = draft.head(conversationId) ?? openConversation(conversationId, mutation.open, draft, now)
  if (head === null) return { outcome: 'missing' }
  const done = put(head, kind, subject, content, draft, now)
  if (done === undefined) return unchanged
  const { row } = done
  if (kind === 'block') {
    const viewRev = content.on === true ? {} : { viewRev: row.rev }
    draft.moveHead(conversationId, { ...done.head, blockRev: row.rev, ...viewRev })
  }
  if (kind === 'pins') draft.moveHead(conversationId, { ...done.head, pinsRev: row.rev })
  if (kind === 'membership' && done.head.kind === 'self') {
    draft.moveHead(conversationId, { ...done.head, memberRev: row.rev })
  }
  return { changed: true, row }
}

function setMeta (mutation: Extract<Mutation, { type: 'meta' }>, draft: Draft, now: number): MutationResult {
  const { conversationId } = mutation
  const head = draft.head(conversationId)
  if (head === null) return { outcome: 'missing' }
  let set: MetaPatch | null
  try {
    set = mutation.decide(head, actorOf(mutation, draft))
  } catch (error) {
    return refused(error)
  }
  const settings = settingsOf(head)
  const { closedSeq, ...changed } = set ?? {}
  const wanted = { ...settings, ...changed }
  if (isSame(settings, wanted)) return { changed: false }
  const done = put(head, 'meta', '', wanted, draft, now)
  // If the row has these settings and the head did not, an earlier mutation of this batch has written the row.
  const { row, head: moved } = done ?? { row: draft.row(stateRowId(conversationId, 'meta', '').toHexString())!, head }
  draft.moveHead(conversationId, {
    ...moved,
    ...wanted,
    ...nameKeyOf(wanted),
    ...(closedSeq === undefined ? {} : { closedSeq }),
    metaRev: row.rev,
    ...(settings.history === wanted.history ? {} : { viewRev: row.rev })
  })
  announce(mutation.announce, conversationId, { before: settings, after: wanted }, draft, now)
  return { changed: true, row }
}

function purge (mutation: Extract<Mutation, { type: 'purge' }>, draft: Draft, now: number): MutationResult {
  const { conversationId, throughSeq } = mutation
  const head = draft.head(conversationId)
  if (head === null) return { outcome: 'missing' }
  const through = seqOf(Math.min(throughSeq, head.headSeq))
  if (through <= (head.purgedSeq ?? 0)) return { changed: false }
  const done = put(head, 'purge', '', { throughSeq: through }, draft, now)
  // The row is read for each commit, the head may be one that another server has moved since.
  if (done === undefined) return { changed: false }
  draft.moveHead(conversationId, { ...done.head, purgedSeq: through })
  endPins(conversationId, ({ seq }) => seq > through, draft, now)
  return { changed: true, row: done.row }
}

function revise (mutation: Extract<Mutation, { type: 'revise' }>, draft: Draft, now: number): MutationResult {
  const { conversationId } = mutation
  const { head, row } = namedRow(mutation, draft)
  if (head === null || row === null) return { outcome: 'missing' }
  const hex = row._id.toHexString()
  let patch: RowPatch | null
  try {
    patch = mutation.decide(row, { head, actor: actorOf(mutation, draft) })
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
  if (moved !== head || to.mentioned !== undefined) {
    draft.moveHead(conversationId, { ...moved, ...mentionSeqOf(head, to) })
  }
  if (to.isDeleted === true) endPins(conversationId, ({ messageId }) => !messageId.equals(row._id), draft, now)
  return { changed: true, row: to }
}

/** The message that a mutation names. Null: it does not exist, or is purged and its row is not deleted yet. */
function namedRow (
  { conversationId, rowId }: { conversationId: string, rowId: ObjectId }, draft: Draft
): { head: Head | null, row: LogRow | null } {
  const head = draft.head(conversationId)
  const row = draft.row(rowId.toHexString())
  const isThere = row?.conversationId === conversationId && (row.seq ?? Infinity) > (head?.purgedSeq ?? 0)
  return { head, row: isThere ? row : null }
}

function pin (mutation: Extract<Mutation, { type: 'pin' }>, draft: Draft, now: number): MutationResult {
  const { conversationId, on } = mutation
  const { head, row } = namedRow(mutation, draft)
  if (head === null || row === null) return { outcome: 'missing' }
  const before = pinsIn(conversationId, draft)
  const others = before.filter(({ messageId }) => !messageId.equals(row._id))
  try {
    mutation.check(row, { head, actor: actorOf(mutation, draft) })
    if (on && others.length >= pinsMax) {
      throw new TidelogError('NOT_ALLOWED', `No more than ${pinsMax} messages can be pinned in a conversation`)
    }
  } catch (error) {
    return refused(error)
  }
  // A message that is pinned already keeps its place.
  const isUnchanged = on === (others.length < before.length)
  const done = isUnchanged
    ? undefined
    : setPins(head, on ? [...before, { messageId: row._id, seq: row.seq! }] : others, draft, now)
  if (done !== undefined) {
    draft.relyOn(row._id)
    announce(mutation.announce, conversationId, { on }, draft, now)
    return { changed: true, row: done }
  }
  const stored = draft.row(stateRowId(conversationId, 'pins', '').toHexString())
  return stored === undefined ? { changed: false } : { changed: false, row: stored }
}

function mentionSeqOf ({ mentionSeq = seqOf(0) }: Head, { seq, mentioned }: LogRow): Pick<Head, 'mentionSeq'> {
  return mentioned === undefined || seq === undefined || seq <= mentionSeq ? {} : { mentionSeq: seq }
}

function setMember (mutation: Extract<Mutation, { type: 'member' }>, draft: Draft, now: number): MutationResult {
  const { conversationId, userId } = mutation
  const key = memberKey(conversationId, userId)
  const member = draft.member(key)
  const before = draft.head(conversationId)
  if (before === null && mutation.open === undefined) return { outcome: 'missing' }
  const row = draft.row(stateRowId(conversationId, 'membership', userId.toHexString()).toHexString())
  const standing = member?.role ?? (row?.banned === true ? 'banned' : null)
  let wanted: MembershipStatus
  try {
    wanted = typeof mutation.role === 'function'
      ? mutation.role(member, before, { standing, actor: actorOf(mutation, draft) })
      : mutation.role
  } catch (error) {
    return refused(error)
  }
  if (standing === wanted) return row === undefined ? { changed: false } : { changed: false, row }
  const role = wanted === 'banned' ? null : wanted
  const head = before ?? openConversation(conversationId, mutation.open, draft, now)!
  const content: StateContent = { userId, role, ...(wanted === 'banned' ? { banned: true } : {}) }
  const done = put(head, 'membership', userId.toHexString(), content, draft, now)
  if (done === undefined) return { changed: false }
  const { headSeq: joinedSeq } = head
  const memberCount = head.memberCount + (role === null ? 0 : 1) - (member === null ? 0 : 1)
  draft.moveHead(conversationId, { ...done.head, memberCount })
  const { rev: joinedRev, updatedAt: joinedAt } = done.row
  if (role === null) {
    draft.writeMember(key, null)
  } else if (member !== null) {
    draft.writeMember(key, { ...member, role })
  } else {
    const joined = { joinedSeq, joinedRev, joinedAt, readSeq: joinedSeq }
    const hidden = narrowingOf(ownSettingsIn(userId, conversationId, draft) ?? {})
    draft.writeMember(key, { _id: key, conversationId, userId, role, ...joined, ...hidden })
  }
  if (role !== null || member !== null) {
    putSelf(userId, 'membership', conversationId, { about: conversationId, userId, role }, draft, now)
  }
  announce(mutation.announce, conversationId, { before: standing, after: wanted, isNew: before === null }, draft, now)
  return { changed: true, row: done.row }
}

function setSettings (mutation: Extract<Mutation, { type: 'settings' }>, draft: Draft, now: number): MutationResult {
  const { conversationId, userId, decide } = mutation
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
  // A user without settings has no row.
  if (before === undefined && isSame({}, wanted)) return { changed: false }
  const content = { about: conversationId, ...ownSettingsOf(wanted) }
  const row = putSelf(userId, 'settings', conversationId, content, draft, now)
  if (row === undefined) return before === undefined ? { changed: false } : { changed: false, row: before }
  if (member !== null && !isSame(narrowingOf(member), narrowingOf(row))) {
    draft.writeMember(key, { ...member, ...narrowingOf(row) })
    const selfId = selfLogId(userId)
    draft.moveHead(selfId, { ...draft.head(selfId)!, memberRev: row.rev })
  }
  return { changed: true, row }
}

/** A user who reads a conversation does not want it marked as unread any more. */
function endMarkedUnread (userId: ObjectId, conversationId: string, draft: Draft, now: number): boolean {
  const { markedUnread, ...settings } = ownSettingsOf(ownSettingsIn(userId, conversationId, draft))
  if (markedUnread !== true) return false
  return putSelf(userId, 'settings', conversationId, { about: conversationId, ...settings }, draft, now) !== undefined
}

function markRead (mutation: Extract<Mutation, { type: 'read' }>, draft: Draft, now: number): MutationResult {
  const { conversationId, userId, isUnseen = false } = mutation
  const key = memberKey(conversationId, userId)
  const head = draft.head(conversationId)
  const member = draft.member(key)
  if (head === null) return { outcome: 'missing' }
  if (member === null) return { outcome: 'notMember' }
  const { shownSeq, ...before } = member
  const readSeq = seqOf(Math.max(member.readSeq, Math.min(mutation.seq, head.headSeq)))
  const isUnmarked = endMarkedUnread(userId, conversationId, draft, now)
  if (readSeq === member.readSeq && (shownSeq === undefined || isUnseen)) return { changed: isUnmarked, read: member }
  const at = nextTime(head, now)
  const readTrail = [...(member.readTrail ?? []).slice(1 - readTrailMax), { seq: readSeq, at }]
  const read: Member = isUnseen
    ? { ...member, readSeq, shownSeq: shownSeq ?? member.readSeq }
    : { ...before, readSeq, readAt: at, readTrail }
  draft.writeMember(key, read)
  // If nobody else may see the position, only the user's self log changes.
  if (showsReadPositions(head) && !isUnseen) draft.moveHead(conversationId, { ...head, clock: at, lastReadAt: at })
  putSelf(userId, 'read', conversationId, { about: conversationId, readSeq, readAt: at }, draft, now)
  return { changed: true, read }
}

/** A member as others see them: with the read position that is shown to others. */
export function asShown (member: Member): Member {
  return member.shownSeq === undefined ? member : { ...member, readSeq: member.shownSeq }
}

/** A rule that throws ends its own unit only, not the others of its batch. */
function refused (error: unknown): MutationResult {
  const reason = error instanceof TidelogError ? error : new TidelogError('INTERNAL', undefined, { cause: error })
  return { outcome: 'refused', error: reason }
}

/** How many moves of the read position a member's row keeps. */
const readTrailMax = 8

/** The membership of the user who asks for a mutation, as it is at the commit. */
function actorOf (
  { conversationId, actor }: { conversationId: string, actor?: ObjectId }, draft: Draft
): Member | null {
  return actor === undefined ? null : draft.member(memberKey(conversationId, actor))
}
