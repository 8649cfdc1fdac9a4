import { TidelogError } from '../errors.ts'
import {
  type ConversationKind, type Head, type LogRow, type Member, type MemberRole, type Meta, type PutKind, type Seq,
  memberKey, revOf, rowIdOf, selfLogId, seqOf, shownReadersMax
} from './types.ts'
import type { ObjectId } from 'mongodb'

/**
 * What one batch of units does to the logs that it touches, worked out on plain values: no I/O, no clock of its own.
 * The invariant kept here is I2: revs and seqs of a conversation are consecutive and no two rows share one. If it
 * broke, a client's cursor would skip a row for ever.
 */

/** A new row without what the commit assigns. Its `_id` is chosen before the first try, so that an unknown outcome can be settled. */
export type NewRow = Omit<LogRow, 'conversationId' | 'rev' | 'seq' | 'createdAt' | 'updatedAt'>

/** How a conversation that does not exist yet is opened by its first row. */
export interface Opening extends Meta {
  kind: ConversationKind
  members: Array<{ userId: ObjectId, role: MemberRole }>
}

export interface Patch {
  set: Partial<Omit<LogRow, '_id' | 'conversationId' | 'rev' | 'seq' | 'kind' | 'createdAt' | 'updatedAt'>>
  unset?: ReadonlyArray<'message' | 'listingId' | 'replyTo' | 'editedAt'>
}

export type Change =
  | {
    type: 'append'
    conversationId: string
    row: NewRow
    open?: Opening
    /** The change is refused unless this user is a member at the head it is committed on. */
    requiresMember?: ObjectId
  }
  /** `decide` sees the row as it stands before the change: null changes nothing, a thrown TidelogError refuses. */
  | { type: 'revise', conversationId: string, rowId: ObjectId, decide: (row: LogRow) => Patch | null }
  /**
   * Sets, or with null removes, a member, here and in the user's own log. The standing that the user has changes nothing.
   * `actor` is who asks for it: the rule gets their membership.
   */
  | { type: 'member', conversationId: string, userId: ObjectId, role: Standing | StandingRule, actor?: ObjectId, open?: Opening }
  /** Moves a member's read position forward, here and in the user's own log; takes a time of the conversation's clock but no rev. */
  | { type: 'read', conversationId: string, userId: ObjectId, seq: Seq }
  /** Sets the row of a state. `decide` sees it as it stands: null changes nothing, nor does what it holds already. */
  | { type: 'put', conversationId: string, kind: PutKind, subject: string, decide: (row: LogRow | null) => PutContent | null, open?: Opening }
  /** Sets some of a conversation's settings, on its head and in its `meta` row. */
  | { type: 'meta', conversationId: string, decide: (head: Head, actor: Member | null) => Meta | null, actor?: ObjectId }
  /** Gives up the messages up to a seq. */
  | { type: 'purge', conversationId: string, throughSeq: Seq }

/** What the row of a state says; all else is the log's. */
export type PutContent = Omit<LogRow, '_id' | 'conversationId' | 'rev' | 'seq' | 'kind' | 'createdAt' | 'updatedAt'>

/** What somebody is in a conversation: a member in a role, nobody, or nobody who may join. */
export type Standing = MemberRole | 'banned' | null

/**
 * Works out a user's standing from what is so at the commit. The standing that the user has changes nothing; a thrown
 * TidelogError refuses.
 */
export type StandingRule = (member: Member | null, head: Head | null, others: { standing: Standing, actor: Member | null }) => Standing

/** Changes that commit together or not at all. Only the first may carry a client id: it is that of the unit. */
export interface Unit {
  changes: readonly Change[]
}

export type Outcome =
  | { outcome: 'committed', rows: LogRow[], reads: Member[] }
  /** Everything asked for was so already; `rows` as they stand. */
  | { outcome: 'unchanged', rows: LogRow[], reads: Member[] }
  /** The client id was used before, for the same body. */
  | { outcome: 'duplicate', row: LogRow }
  /** The client id was used before, for another body. */
  | { outcome: 'mismatch', row: LogRow }
  /** There is no such conversation or row. */
  | { outcome: 'missing' }
  | { outcome: 'notMember' }
  | { outcome: 'refused', error: TidelogError }

/** What is known of the database before the plan. A key that maps to null is known not to exist. */
export interface Known {
  heads: ReadonlyMap<string, Head | null>
  /** By hex id. */
  rows: ReadonlyMap<string, LogRow>
  /** By `memberKey`. */
  members: ReadonlyMap<string, Member>
}

export interface HeadMove {
  /** The head that the transaction must still find; null: it must not exist. */
  from: Head | null
  to: Head
}

export interface RowWrite {
  /** The row as it was read; null for a new one. */
  from: LogRow | null
  to: LogRow
}

export interface Plan {
  /** One for each unit; a number names the unit whose append this one repeats. */
  outcomes: Array<Outcome | number>
  heads: HeadMove[]
  rows: RowWrite[]
  members: Array<{ from: Member | null, to: Member | null, key: string }>
  /** Read positions that moved, and that the other members are told of. */
  shownReads: Member[]
}

/** Working copies of what a batch has changed so far, over what is known. */
class Draft {
  readonly heads = new Map<string, HeadMove>()
  readonly rows = new Map<string, RowWrite>()
  readonly members = new Map<string, { from: Member | null, to: Member | null }>()
  private readonly known: Known
  private readonly below: Draft | undefined

  constructor (known: Known, below?: Draft) {
    this.known = known
    this.below = below
  }

  head (id: string): Head | null {
    return this.headMove(id)?.to ?? this.known.heads.get(id) ?? null
  }

  row (hex: string): LogRow | undefined {
    return this.rowWrite(hex)?.to ?? this.known.rows.get(hex)
  }

  member (key: string): Member | null {
    const written = this.members.get(key) ?? this.below?.members.get(key)
    return written === undefined ? this.known.members.get(key) ?? null : written.to
  }

  rowWrite (hex: string): RowWrite | undefined {
    return this.rows.get(hex) ?? this.below?.rows.get(hex)
  }

  moveHead (id: string, to: Head): void {
    const from = this.headMove(id)?.from
    this.heads.set(id, { from: from === undefined ? this.known.heads.get(id) ?? null : from, to })
  }

  writeRow (to: LogRow): void {
    const hex = to._id.toHexString()
    const written = this.rowWrite(hex)
    this.rows.set(hex, { from: written === undefined ? this.known.rows.get(hex) ?? null : written.from, to })
  }

  writeMember (key: string, to: Member | null): void {
    const written = this.members.get(key) ?? this.below?.members.get(key)
    this.members.set(key, { from: written === undefined ? this.known.members.get(key) ?? null : written.from, to })
  }

  /** Takes over what a unit's draft has written. */
  absorb (draft: Draft): void {
    for (const [id, move] of draft.heads) this.heads.set(id, move)
    for (const [hex, write] of draft.rows) this.rows.set(hex, write)
    for (const [key, write] of draft.members) this.members.set(key, write)
  }

  private headMove (id: string): HeadMove | undefined {
    return this.heads.get(id) ?? this.below?.heads.get(id)
  }
}

/** Plans a batch in order. `now` is the node's clock in milliseconds; a wrong one cannot make times go back. */
export function planBatch (units: readonly Unit[], known: Known, now: number): Plan {
  const batch = new Draft(known)
  const claims = new Map<string, number>()
  const shownReads: Member[] = []
  const outcomes = units.map((unit, index): Outcome | number => {
    const claim = claimOf(unit)
    if (claim !== null) {
      const claimant = claims.get(claim)
      if (claimant !== undefined) return claimant
    }
    // A unit that fails half-way leaves nothing behind; a unit of one change cannot, and saves the copy.
    const draft = unit.changes.length === 1 ? batch : new Draft(known, batch)
    const outcome = planUnit(unit, draft, now)
    if (outcome.outcome === 'committed') {
      if (draft !== batch) batch.absorb(draft)
      shownReads.push(...outcome.reads.filter(read => showsReaders(batch.head(read.conversationId))))
      if (claim !== null) claims.set(claim, index)
    }
    return outcome
  })
  if (units.some(({ changes }) => changes.some(({ type }) => type !== 'append' && type !== 'read'))) showLast(outcomes, batch)
  return {
    outcomes,
    heads: [...batch.heads.values()].map(({ from, to: { turn, ...to } }) => ({ from, to })),
    rows: [...batch.rows.values()].sort((a, b) => a.to.rev - b.to.rev),
    members: [...batch.members].map(([key, write]) => ({ key, ...write })),
    shownReads
  }
}

/**
 * Several operations on one row may share a rev: each is answered with the row as the batch leaves it. A client that was
 * given an earlier form of it would keep that, because it drops what is not above the rev that it holds.
 */
function showLast (outcomes: Array<Outcome | number>, batch: Draft): void {
  for (const outcome of outcomes) {
    if (typeof outcome === 'object' && 'rows' in outcome) outcome.rows = outcome.rows.map(row => batch.row(row._id.toHexString()) ?? row)
  }
}

/** The idempotency key of a unit that sends a message. */
export function claimOf (unit: Unit): string | null {
  const [change] = unit.changes
  if (change?.type !== 'append' || change.row.clientMessageId === undefined) return null
  return `${change.conversationId} ${change.row.senderId?.toHexString() ?? ''} ${change.row.clientMessageId}`
}

/** How a retry stands to the row that was stored under its client id. */
export function settleRepeat (unit: Unit, row: LogRow): Outcome {
  const [change] = unit.changes
  return change?.type === 'append' && change.row.bodyHash === row.bodyHash ? { outcome: 'duplicate', row } : { outcome: 'mismatch', row }
}

function planUnit (unit: Unit, draft: Draft, now: number): Outcome {
  const rows: LogRow[] = []
  const reads: Member[] = []
  let changed = false
  for (const change of unit.changes) {
    const step = planChange(change, draft, now)
    if ('outcome' in step) return step
    changed ||= step.changed
    if (step.row !== undefined) rows.push(step.row)
    if (step.read !== undefined) reads.push(step.read)
  }
  return { outcome: changed ? 'committed' : 'unchanged', rows, reads }
}

type Step = { changed: boolean, row?: LogRow, read?: Member } | Exclude<Outcome, { rows: LogRow[] }>

function planChange (change: Change, draft: Draft, now: number): Step {
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
    case 'meta': return setMeta(change, draft, now)
    case 'purge': return purge(change, draft, now)
    case 'put': return setState(change, draft, now)
  }
}

function append (conversationId: string, row: NewRow, open: Opening | undefined, draft: Draft, now: number): Step {
  // A row that is there, because its unit came twice, keeps its place: a second seq for it would leave a gap at the first.
  const there = draft.row(row._id.toHexString())
  if (there !== undefined) return { changed: false, row: there }
  const head = draft.head(conversationId) ?? opened(conversationId, open, draft, now)
  if (head === null) return { outcome: 'missing' }
  const at = nextTime(head, now)
  const to: LogRow = { ...row, conversationId, rev: revOf(head.headRev + 1), createdAt: at, updatedAt: at }
  if (row.kind === 'message') to.seq = seqOf(head.headSeq + 1)
  draft.writeRow(to)
  draft.moveHead(conversationId, { ...head, headRev: to.rev, headSeq: to.seq ?? head.headSeq, clock: at })
  return { changed: true, row: to }
}

function opened (conversationId: string, open: Opening | undefined, draft: Draft, now: number): Head | null {
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
    gcFloor: revOf(0),
    memberCount: members.length,
    createdAt: at,
    ...meta
  }
}

/**
 * Sets the row of a state; undefined where it says so already. Whoever reads the log gets the last state only, so that
 * one that changes back and forth does not make it longer.
 */
function put (head: Head, kind: PutKind, subject: string, content: PutContent, draft: Draft, now: number): { row: LogRow, head: Head } | undefined {
  const _id = rowIdOf(head._id, kind, subject)
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
function putOwn (userId: ObjectId, kind: 'membership' | 'read', conversationId: string, content: PutContent, draft: Draft, now: number): void {
  const id = selfLogId(userId)
  const done = put(draft.head(id) ?? opened(id, { kind: 'self', members: [] }, draft, now)!, kind, conversationId, content, draft, now)
  if (done !== undefined && kind === 'membership') draft.moveHead(id, { ...done.head, memberRev: done.row.rev })
}

function setState (change: Extract<Change, { type: 'put' }>, draft: Draft, now: number): Step {
  const { conversationId, kind, subject, decide } = change
  const before = draft.row(rowIdOf(conversationId, kind, subject).toHexString()) ?? null
  let content: PutContent | null
  try {
    content = decide(before)
  } catch (error) {
    return refused(error)
  }
  const unchanged: Step = before === null ? { changed: false } : { changed: false, row: before }
  if (content === null) return unchanged
  const head = draft.head(conversationId) ?? opened(conversationId, change.open, draft, now)
  if (head === null) return { outcome: 'missing' }
  const done = put(head, kind, subject, content, draft, now)
  if (done === undefined) return unchanged
  const { row } = done
  if (kind === 'block') draft.moveHead(conversationId, { ...done.head, blockRev: row.rev, ...(content.on === true ? {} : { viewRev: row.rev }) })
  return { changed: true, row }
}

function setMeta (change: Extract<Change, { type: 'meta' }>, draft: Draft, now: number): Step {
  const { conversationId, actor } = change
  const head = draft.head(conversationId)
  if (head === null) return { outcome: 'missing' }
  let set: Meta | null
  try {
    set = change.decide(head, actor === undefined ? null : draft.member(memberKey(conversationId, actor)))
  } catch (error) {
    return refused(error)
  }
  const settings = metaOf(head)
  const wanted = { ...settings, ...set }
  if (isSame(settings, wanted)) return { changed: false }
  const done = put(head, 'meta', '', wanted, draft, now)
  // The row says so already, the head did not: nothing but the row of this batch can be meant.
  const { row, head: moved } = done ?? { row: draft.row(rowIdOf(conversationId, 'meta', '').toHexString())!, head }
  draft.moveHead(conversationId, { ...moved, ...wanted, metaRev: row.rev, ...(settings.history === wanted.history ? {} : { viewRev: row.rev }) })
  return { changed: true, row }
}

function purge ({ conversationId, throughSeq }: Extract<Change, { type: 'purge' }>, draft: Draft, now: number): Step {
  const head = draft.head(conversationId)
  if (head === null) return { outcome: 'missing' }
  const through = seqOf(Math.min(throughSeq, head.headSeq))
  if (through <= (head.purgedSeq ?? 0)) return { changed: false }
  const done = put(head, 'purge', '', { throughSeq: through }, draft, now)!
  draft.moveHead(conversationId, { ...done.head, purgedSeq: through, gcFloor: revOf(done.row.rev - 1) })
  return { changed: true, row: done.row }
}

function revise (change: Extract<Change, { type: 'revise' }>, draft: Draft, now: number): Step {
  const hex = change.rowId.toHexString()
  const head = draft.head(change.conversationId)
  const row = draft.row(hex)
  if (head === null || row === undefined || row.conversationId !== change.conversationId) return { outcome: 'missing' }
  let patch: Patch | null
  try {
    patch = change.decide(row)
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
  if (rev > head.headRev) draft.moveHead(change.conversationId, { ...head, headRev: rev, clock: at })
  return { changed: true, row: to }
}

function setMember (change: Extract<Change, { type: 'member' }>, draft: Draft, now: number): Step {
  const { conversationId, userId, actor } = change
  const key = memberKey(conversationId, userId)
  const member = draft.member(key)
  const before = draft.head(conversationId)
  if (before === null && change.open === undefined) return { outcome: 'missing' }
  const row = draft.row(rowIdOf(conversationId, 'membership', userId.toHexString()).toHexString())
  const standing = member?.role ?? (row?.banned === true ? 'banned' : null)
  let wanted: Standing
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
    : member === null ? { _id: key, conversationId, userId, role, joinedSeq, joinedRev, joinedAt, readSeq: joinedSeq } : { ...member, role })
  if (role !== null || member !== null) putOwn(userId, 'membership', conversationId, { about: conversationId, userId, role }, draft, now)
  return { changed: true, row: done.row }
}

function markRead (change: Extract<Change, { type: 'read' }>, draft: Draft, now: number): Step {
  const { conversationId, userId } = change
  const key = memberKey(conversationId, userId)
  const head = draft.head(conversationId)
  const member = draft.member(key)
  if (head === null) return { outcome: 'missing' }
  if (member === null) return { outcome: 'notMember' }
  const readSeq = seqOf(Math.min(change.seq, head.headSeq))
  if (readSeq <= member.readSeq) return { changed: false, read: member }
  const at = nextTime(head, now)
  const read: Member = { ...member, readSeq, readAt: at, readTrail: [...(member.readTrail ?? []).slice(1 - readTrailMax), { seq: readSeq, at }] }
  draft.writeMember(key, read)
  // Where nobody else is told, the conversation has not changed: the own log's head stands for it.
  if (showsReaders(head)) draft.moveHead(conversationId, { ...head, clock: at })
  putOwn(userId, 'read', conversationId, { about: conversationId, readSeq, readAt: at }, draft, now)
  return { changed: true, read }
}

/** Are read positions of members shown to the others? */
export function showsReaders (head: Head | null): boolean {
  return head !== null && head.memberCount <= shownReadersMax
}

export function metaOf ({ name, isPrivate, history, deleted }: Meta): Meta {
  return {
    ...(name === undefined ? {} : { name }),
    ...(isPrivate === undefined ? {} : { isPrivate }),
    ...(history === undefined ? {} : { history }),
    ...(deleted === undefined ? {} : { deleted })
  }
}

function contentOf ({ _id, conversationId, rev, kind, createdAt, updatedAt, ...content }: LogRow): PutContent {
  return content
}

/** Contents of states are small and flat; ids and times are compared by their text. */
function isSame (a: object, b: object): boolean {
  const text = (value: object) => JSON.stringify(Object.entries(value).filter(([, field]) => field !== undefined).sort(([one], [other]) => one < other ? -1 : 1))
  return text(a) === text(b)
}

/** A rule that breaks ends its own unit only, not the others of its batch. */
function refused (error: unknown): Step {
  return { outcome: 'refused', error: error instanceof TidelogError ? error : new TidelogError('INTERNAL', undefined, { cause: error }) }
}

/** Moves of a read position that a member remembers. */
const readTrailMax = 8

/** Times of a conversation strictly increase, whatever the node's clock says: a time is then a cursor too. */
function nextTime (head: Head, now: number): Date {
  return new Date(Math.max(now, head.clock.getTime() + 1))
}

/** Conversations that a change moves, the one that it names first; own logs of an opening only where it may have to open. */
export function conversationsOfChange (change: Change, opens: boolean): string[] {
  const { conversationId } = change
  const own = change.type === 'member' || change.type === 'read' ? [selfLogId(change.userId)] : []
  const ofMembers = opens && 'open' in change ? change.open?.members.map(({ userId }) => selfLogId(userId)) ?? [] : []
  return [conversationId, ...own, ...ofMembers]
}

/** Rows that a change must know. */
export function rowsOfChange (change: Change, opens: boolean): ObjectId[] {
  const { conversationId } = change
  const ofMembers = opens && 'open' in change
    ? change.open?.members.map(({ userId }) => rowIdOf(selfLogId(userId), 'membership', conversationId)) ?? []
    : []
  switch (change.type) {
    case 'append': return ofMembers
    case 'revise': return [change.rowId]
    case 'member': return [
      rowIdOf(conversationId, 'membership', change.userId.toHexString()), rowIdOf(selfLogId(change.userId), 'membership', conversationId), ...ofMembers
    ]
    case 'read': return [rowIdOf(selfLogId(change.userId), 'read', conversationId)]
    case 'put': return [rowIdOf(conversationId, change.kind, change.subject), ...ofMembers]
    case 'meta':
    case 'purge': return [rowIdOf(conversationId, change.type, '')]
  }
}

/** Members that a change must know, by `memberKey`. */
export function membersOfChange (change: Change): string[] {
  const { conversationId } = change
  const actor = 'actor' in change && change.actor !== undefined ? [memberKey(conversationId, change.actor)] : []
  switch (change.type) {
    case 'append': return change.requiresMember === undefined ? [] : [memberKey(conversationId, change.requiresMember)]
    case 'member':
    case 'read': return [memberKey(conversationId, change.userId), ...actor]
    case 'meta': return actor
    case 'revise':
    case 'put':
    case 'purge': return []
  }
}
