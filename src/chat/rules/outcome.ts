import { TidelogError } from '../../errors.ts'
import type { UnitOutcome } from '../../log/commit/plan.ts'

export type CommittedOutcome = Extract<UnitOutcome, { outcome: 'committed' | 'unchanged' }>

/**
 * The outcome of a unit after which everything is as requested.
 * @throws TidelogError NOT_FOUND, or the error of the rule that refused
 */
export function requireCommitted (outcome: UnitOutcome): CommittedOutcome {
  if (outcome.outcome === 'refused') throw outcome.error
  if (outcome.outcome !== 'committed' && outcome.outcome !== 'unchanged') throw new TidelogError('NOT_FOUND')
  return outcome
}
