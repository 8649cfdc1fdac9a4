import { Histogram } from '../../lib/histogram.ts'
import type { UnitOutcome } from './mutation.ts'
import type { TransactionResult } from './transaction.ts'

/** What a committer has done since its start. Plain numbers: counting costs the path of a message nothing. */
export class CommitCounts {
  /** Units by outcome; `failed`: the caller got an error. */
  readonly units: Record<UnitOutcome['outcome'] | 'failed', number> = {
    committed: 0, unchanged: 0, duplicate: 0, mismatch: 0, missing: 0, notMember: 0, refused: 0, failed: 0
  }

  /** Tries that did not commit, by reason. */
  readonly retries: Record<Exclude<TransactionResult['result'], 'committed'>, number> = {
    conflict: 0, duplicateKey: 0, transient: 0, rejected: 0, unreachable: 0, unknown: 0
  }

  /** Units of a batch. */
  readonly batchUnits = new Histogram([1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
  /** Seconds from the start of a batch to its last outcome, retries included. */
  readonly seconds = new Histogram([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
}
