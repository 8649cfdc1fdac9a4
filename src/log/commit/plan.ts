import { Draft, type HeadWrite, type PlanInput, type RowWrite } from './draft.ts'
import { applyMutation } from './apply-mutation.ts'
import type { LogRow, Member } from '../model/types.ts'
import type { UnitOutcome, CommitUnit } from './mutation.ts'
import { showsReadPositions } from '../model/types.ts'

export type * from './draft.ts'
export type * from './mutation.ts'

/**
 * What one batch of units does to the logs that it touches, worked out on plain values: no I/O, no clock of its own.
 * The invariant kept here is I2: revs and seqs of a conversation are consecutive and no two rows share one. If it
 * broke, a client's cursor would skip a row for ever.
 */

export interface Plan {
  /** One for each unit; a number names the unit whose append this one repeats. */
  outcomes: Array<UnitOutcome | number>
  heads: HeadWrite[]
  rows: RowWrite[]
  members: Array<{ from: Member | null, to: Member | null, key: string }>
  /** Read positions that moved, and that the other members are told of. */
  shownReads: Member[]
}

/** Plans a batch in order. `now` is the node's clock in milliseconds; a wrong one cannot make times go back. */
export function planBatch (units: readonly CommitUnit[], known: PlanInput, now: number): Plan {
  const batch = new Draft(known)
  const firstByKey = new Map<string, number>()
  const shownReads: Member[] = []
  const outcomes = units.map((unit, index): UnitOutcome | number => {
    const claim = idempotencyKeyOf(unit)
    if (claim !== null) {
      const claimant = firstByKey.get(claim)
      if (claimant !== undefined) return claimant
    }
    // A unit that fails half-way leaves nothing behind; a unit of one change cannot, and saves the copy.
    const draft = unit.mutations.length === 1 ? batch : new Draft(known, batch)
    const outcome = planUnit(unit, draft, now)
    if (outcome.outcome === 'committed') {
      if (draft !== batch) batch.merge(draft)
      shownReads.push(...outcome.reads.filter(read => read.shownSeq === undefined && showsReadPositions(batch.head(read.conversationId))))
      if (claim !== null) firstByKey.set(claim, index)
    }
    return outcome
  })
  if (units.some(({ mutations }) => mutations.some(({ type }) => type !== 'append' && type !== 'read'))) showFinalRows(outcomes, batch)
  return {
    outcomes,
    heads: [...batch.heads.values()].map(({ from, to: { reservedBy, ...to } }) => ({ from, to })),
    rows: [...batch.rows.values()].sort((a, b) => a.to.rev - b.to.rev),
    members: [...batch.members].map(([key, write]) => ({ key, ...write })),
    shownReads
  }
}

/**
 * Several operations on one row may share a rev: each is answered with the row as the batch leaves it. A client that was
 * given an earlier form of it would keep that, because it drops what is not above the rev that it holds.
 */
function showFinalRows (outcomes: Array<UnitOutcome | number>, batch: Draft): void {
  for (const outcome of outcomes) {
    if (typeof outcome === 'object' && 'rows' in outcome) outcome.rows = outcome.rows.map(row => batch.row(row._id.toHexString()) ?? row)
  }
}

/** The idempotency key of a unit that sends a message. */
export function idempotencyKeyOf (unit: CommitUnit): string | null {
  const [change] = unit.mutations
  if (change?.type !== 'append' || change.row.clientMessageId === undefined) return null
  return `${change.conversationId} ${change.row.senderId?.toHexString() ?? ''} ${change.row.clientMessageId}`
}

/** How a retry stands to the row that was stored under its client id. */
export function duplicateOutcome (unit: CommitUnit, row: LogRow): UnitOutcome {
  const [change] = unit.mutations
  return change?.type === 'append' && change.row.bodyHash === row.bodyHash ? { outcome: 'duplicate', row } : { outcome: 'mismatch', row }
}

function planUnit (unit: CommitUnit, draft: Draft, now: number): UnitOutcome {
  const rows: LogRow[] = []
  const reads: Member[] = []
  let changed = false
  for (const change of unit.mutations) {
    const step = applyMutation(change, draft, now)
    if ('outcome' in step) return step
    changed ||= step.changed
    if (step.row !== undefined) rows.push(step.row)
    if (step.read !== undefined) reads.push(step.read)
  }
  return { outcome: changed ? 'committed' : 'unchanged', rows, reads }
}
