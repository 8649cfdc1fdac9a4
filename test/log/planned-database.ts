import { type PlanInput, type Plan, type CommitUnit, planBatch } from '../../src/log/commit/plan.ts'
import type { Head, LogRow, Member } from '../../src/log/model/types.ts'

/** When the plans of a test are made, in milliseconds. */
export const now = 1_700_000_000_000

/** A database of plain values: plans on what is here, and takes the plan over as a transaction would. */
export class PlannedDatabase {
  readonly heads = new Map<string, Head | null>()
  readonly rows = new Map<string, LogRow>()
  readonly members = new Map<string, Member>()

  commit (units: CommitUnit[], at: number = now): Plan {
    const plan = planBatch(units, this as PlanInput, at)
    for (const { to } of plan.heads) this.heads.set(to._id, to)
    for (const { to } of plan.rows) this.rows.set(to._id.toHexString(), to)
    for (const { key, to } of plan.members) to === null ? this.members.delete(key) : this.members.set(key, to)
    return plan
  }

  /** The rows of one conversation by rev. */
  log (conversationId: string): LogRow[] {
    return [...this.rows.values()].filter(row => row.conversationId === conversationId).sort((a, b) => a.rev - b.rev)
  }
}
