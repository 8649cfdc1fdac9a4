import { Draft, type HeadWrite, type PlanInput, type ReliedRow, type RowWrite } from './draft.ts'
import { applyMutation } from './apply-mutation.ts'
import { type LogRow, type Member, showsReadPositions } from '../model/types.ts'
import type { UnitOutcome, CommitUnit } from './mutation.ts'

export type * from './draft.ts'
export type * from './mutation.ts'

/**
 * Works out on plain values what a batch of units does to its logs: no I/O, no clock of its own. The plan keeps
 * invariant I2: revs and seqs of a conversation are consecutive, and no two rows share one. If it broke, a client's
 * cursor would skip a row for ever.
 */

export interface Plan {
  /** One for each unit; a number is the index of the unit whose message this one repeats. */
  outcomes: Array<UnitOutcome | number>
  heads: HeadWrite[]
  rows: RowWrite[]
  relied: ReliedRow[]
  members: Array<{ from: Member | null, to: Member | null, key: string }>
  /** Read positions that moved and are shown to the other members. */
  shownReads: Member[]
}

/** Plans a batch in order. `now` is the node's clock in milliseconds; a wrong clock cannot make times go back. */
export function planBatch (units: readonly CommitUnit[], input: PlanInput, now: number): Plan {
  const batch = new Draft(input)
  const firstByKey = new Map<string, number>()
  const shownReads: Member[] = []
  const outcomes = units.map((unit, index): UnitOutcome | number => {
    const key = idempotencyKeyOf(unit)
    if (key !== null) {
      const first = firstByKey.get(key)
      if (first !== undefined) return first
    }
    // A unit that fails half-way must leave nothing behind. One with a single mutation cannot fail half-way.
    const draft = unit.mutations.length === 1 ? batch : new Draft(input, batch)
    const outcome = planUnit(unit, draft, now)
    if (outcome.outcome === 'committed') {
      if (draft !== batch) batch.merge(draft)
      const isShown = ({ shownSeq, conversationId }: Member) =>
        shownSeq === undefined && showsReadPositions(batch.head(conversationId))
      shownReads.push(...outcome.reads.filter(isShown))
      if (key !== null) firstByKey.set(key, index)
    }
    return outcome
  })
  const types = units.flatMap(({ mutations }) => mutations.map(({ type }) => type))
  const mayChangeRows = types.some(type => type !== 'append' && type !== 'read')
  if (mayChangeRows) showFinalRows(outcomes, batch)
  return {
    outcomes,
    heads: [...batch.heads.values()].map(({ from, to: { reservedBy, ...to } }) => ({ from, to })),
    rows: [...batch.rows.values()].sort((a, b) => a.to.rev - b.to.rev),
    relied: batch.reliedRows(),
    members: [...batch.members].map(([key, write]) => ({ key, ...write })),
    shownReads
  }
}

/**
 * Gives every outcome the rows as the batch leaves them: several mutations of one row may share a rev. A client with an
 * earlier state of the row would keep it, because a client ignores what is not above the rev that it has.
 */
function showFinalRows (outcomes: Array<UnitOutcome | number>, batch: Draft): void {
  for (const outcome of outcomes) {
    if (typeof outcome === 'object' && 'rows' in outcome) {
      outcome.rows = outcome.rows.map(row => batch.row(row._id.toHexString()) ?? row)
    }
  }
}

/** The idempotency key of a unit that sends a message; null: it has none. */
export function idempotencyKeyOf (unit: CommitUnit): string | null {
  const [mutation] = unit.mutations
  if (mutation?.type !== 'append' || mutation.row.clientMessageId === undefined) return null
  return `${mutation.conversationId} ${mutation.row.senderId?.toHexString() ?? ''} ${mutation.row.clientMessageId}`
}

/** The outcome of a unit whose idempotency key is stored already, in `row`. */
export function duplicateOutcome (unit: CommitUnit, row: LogRow): UnitOutcome {
  const [mutation] = unit.mutations
  const isSameBody = mutation?.type === 'append' && mutation.row.bodyHash === row.bodyHash
  return { outcome: isSameBody ? 'duplicate' : 'mismatch', row }
}

function planUnit (unit: CommitUnit, draft: Draft, now: number): UnitOutcome {
  const rows: LogRow[] = []
  const reads: Member[] = []
  let changed = false
  for (const mutation of unit.mutations) {
    const step = applyMutation(mutation, draft, now)
    if ('outcome' in step) return step
    changed ||= step.changed
    if (step.row !== undefined) rows.push(step.row)
    if (step.read !== undefined) reads.push(step.read)
  }
  return { outcome: changed ? 'committed' : 'unchanged', rows, reads }
}
