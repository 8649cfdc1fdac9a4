import type { CommitSteps } from '../../src/log/commit/committer.ts'
import type { ConversationLog } from '../../src/log/conversation-log.ts'
import type { GapSource } from '../../src/live/gap-source.ts'
import type { resequence } from '../../src/live/resequencer.ts'
import type { pull } from '../../src/sync/pull.ts'
import type { Rules } from './live.ts'
import type { Ask } from './units.ts'

/** What happens in a history, in which surroundings, and what a mutant makes wrong. */

export type Step =
  | Ask & { node: number }
  | { type: 'crash' | 'beat' | 'collect', node: number }
  | { type: 'failover' }
  /** The database becomes what it was some commits ago, under a new epoch. */
  | { type: 'restore', commits: number }
  | { type: 'leave' | 'clientCrash' | 'sync', client: number }

export interface ClientSpec {
  user: number
  live: boolean
  limit: number
  /** How its conversations begin; 50 without it. */
  newest?: number | 'all'
  /** Names the conversations that it asks for. */
  only?: boolean
}

export interface Spec {
  seed: number
  /** How likely a call to the database, or to a node, is to go wrong. */
  faults: number
  /** How likely a live event is to be lost, on the way to a client or between nodes; half as likely it comes twice. */
  loss: number
  share: boolean
  nodes: number
  replicates: boolean
  /** Nothing goes wrong, and clients do not help themselves at a hole. */
  calm: boolean
  batchCountMax: number
  clocks: number[]
  clients: Array<ClientSpec>
  steps: Step[]
}

/** What a mutant replaces. */
export interface Mutant {
  steps?: Partial<CommitSteps>
  bend?: (log: ConversationLog) => void
  pull?: (mutated: typeof pull) => typeof pull
  isDropped?: (event: string) => boolean
  resequence?: typeof resequence
  gapSource?: (mutated: GapSource) => void
  keepsRemoved?: boolean
  rules?: Rules
  cursorsFirst?: boolean
  /** Where it shows soonest: what stays the same in every history, and how each begins. */
  within?: Partial<Spec>
  first?: Step[]
}
