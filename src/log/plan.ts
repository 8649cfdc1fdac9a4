import { TidelogError } from '../errors.ts'
import {
  type ConversationKind, type Head, type LogRow, type Member, type MemberRole, type Seq,
  memberKey, revOf, seqOf
} from './types.ts'
import type { ObjectId } from 'mongodb'

/**
 * What one batch of units does to the logs that it touches, worked out on plain values: no I/O, no clock of its own.
 * The invariant kept here is I2: revs and seqs of a conversation are consecutive and no two rows share one. If it
 * broke, a client's cursor would skip a row for ever.
 */

/** A new row without what the commit assigns. Its `_id` is chosen before the first try, so that an unknown outcome can be settled. */
export type NewRow = Omit<LogRow, 'conversationId' | 'rev' | 'seq' | 'createdAt' | 'updatedAt'>

/** How a conversation that does not exist yet is opened by its first append. */
export interface Opening {
  kind: ConversationKind
  name?: string
  isPrivate?: boolean
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
  /** Sets, or with null removes, a member, and appends the membership row. The same role again changes nothing. */
  | { type: 'member', conversationId: string, rowId: ObjectId, userId: ObjectId, role: MemberRole | null | RoleRule, open?: Opening }
  /** Moves a member's read position forward; takes a time of the conversation's clock but no rev. */
  | { type: 'read', conversationId: string, userId: ObjectId, seq: Seq }

/**
 * Works out a member's role from what is so at the commit: null for no member. The role that the member has changes
 * nothing; a thrown TidelogError refuses.
 */
export type RoleRule = (member: Member | null, head: Head | null) => MemberRole | null

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
      if (claim !== null) claims.set(claim, index)
    }
    return outcome
  })
  if (units.some(({ changes }) => changes.some(({ type }) => type === 'revise'))) showLast(outcomes, batch)
  return {
    outcomes,
    heads: [...batch.heads.values()],
    rows: [...batch.rows.values()].sort((a, b) => a.to.rev - b.to.rev),
    members: [...batch.members].map(([key, write]) => ({ key, ...write }))
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
  const at = new Date(now)
  for (const { userId, role } of open.members) {
    const key = memberKey(conversationId, userId)
    draft.writeMember(key, { _id: key, conversationId, userId, role, joinedSeq: seqOf(0), joinedAt: at, readSeq: seqOf(0) })
  }
  return {
    _id: conversationId,
    kind: open.kind,
    headRev: revOf(0),
    headSeq: seqOf(0),
    clock: new Date(now - 1),
    gcFloor: revOf(0),
    createdAt: at,
    ...(open.name === undefined ? {} : { name: open.name }),
    ...(open.isPrivate === undefined ? {} : { isPrivate: open.isPrivate })
  }
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
  const { conversationId, rowId, userId } = change
  const key = memberKey(conversationId, userId)
  const member = draft.member(key)
  const head = draft.head(conversationId)
  if (head === null && change.open === undefined) return { outcome: 'missing' }
  let role: MemberRole | null
  try {
    role = typeof change.role === 'function' ? change.role(member, head) : change.role
  } catch (error) {
    return refused(error)
  }
  if ((member?.role ?? null) === role) return { changed: false }
  const step = append(conversationId, { _id: rowId, kind: 'membership', userId, role }, change.open, draft, now)
  if ('outcome' in step || step.row === undefined || !step.changed) return step
  const joinedSeq = draft.head(conversationId)?.headSeq ?? seqOf(0)
  draft.writeMember(key, role === null
    ? null
    : member === null
      ? { _id: key, conversationId, userId, role, joinedSeq, joinedAt: step.row.createdAt, readSeq: joinedSeq }
      : { ...member, role })
  return step
}

function markRead (change: Extract<Change, { type: 'read' }>, draft: Draft, now: number): Step {
  const key = memberKey(change.conversationId, change.userId)
  const head = draft.head(change.conversationId)
  const member = draft.member(key)
  if (head === null) return { outcome: 'missing' }
  if (member === null) return { outcome: 'notMember' }
  const seq = seqOf(Math.min(change.seq, head.headSeq))
  if (seq <= member.readSeq) return { changed: false, read: member }
  const at = nextTime(head, now)
  const read: Member = { ...member, readSeq: seq, readAt: at, readTrail: [...(member.readTrail ?? []).slice(1 - readTrailMax), { seq, at }] }
  draft.writeMember(key, read)
  draft.moveHead(change.conversationId, { ...head, clock: at })
  return { changed: true, read }
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
