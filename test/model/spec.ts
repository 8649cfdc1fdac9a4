import type { CommitSteps } from '../../src/log/commit/committer.ts'
import type { ConversationLog } from '../../src/log/conversation-log.ts'
import type { GapSource } from '../../src/live/gap-source.ts'
import type { resequence } from '../../src/live/resequencer.ts'
import type { pull } from '../../src/sync/pull.ts'
import type { Rules } from './live.ts'
import type { Ask } from './units.ts'

/** A history: its steps, its surroundings, and the mutant's change. */

export type Step =
  | Ask & { node: number }
  | { type: 'crash' | 'beat' | 'collect', node: number }
  | { type: 'failover' }
  /** Restores the database to its state some commits ago, under a new epoch. */
  | { type: 'restore', commits: number }
  | { type: 'leave' | 'clientCrash' | 'sync', client: number }

export interface ClientSpec {
  user: number
  live: boolean
  limit: number
  /** How its conversations begin. Default: 50 messages. */
  newest?: number | 'all'
  /** Names the conversations to sync. */
  only?: boolean
}

export interface Spec {
  seed: number
  /** The probability that a call to the database or a node fails. */
  faults: number
  /**
   * The probability that a live event is lost on the way to a client or between nodes. Half of it: that it arrives
   * twice.
   */
  loss: number
  /** The probability that rows are read as they were a little earlier. */
  lag?: number
  /** After a failover, majority reads are for some time older than what is committed (fake-store.ts). */
  elections?: boolean | 'unseen'
  share: boolean
  /** The statements of a transaction go in one command. */
  bulk?: boolean
  nodes: number
  replicates: boolean
  /** Nothing fails, and clients do not sync at a gap. */
  calm: boolean
  batchCountMax: number
  clocks: number[]
  clients: Array<ClientSpec>
  /** Legacy clients by the size of their pages. There are none in a history with a restore or deleted rows. */
  timeReaders?: number[]
  steps: Step[]
}

/** The parts that a mutant replaces. */
export interface Mutant {
  steps?: Partial<CommitSteps>
  /** Unique indexes that the database lacks. */
  without?: readonly string[]
  bend?: (log: ConversationLog) => void
  pull?: (mutated: typeof pull) => typeof pull
  isDropped?: (event: string) => boolean
  resequence?: typeof resequence
  gapSource?: (mutated: GapSource) => void
  keepsRemoved?: boolean
  /** What a node reads may be older than what it has seen. */
  forgetsTime?: boolean
  /** A node reads from a new leader what it knows a majority to have. */
  forgetsElections?: boolean
  rules?: Rules
  cursorsFirst?: boolean
  /** Where the defect shows soonest: the fixed part of every history, and its first steps. */
  within?: Partial<Spec>
  first?: Step[]
}
