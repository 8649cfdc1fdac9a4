import type { Engine } from '../../src/engine/engine.ts'
import type { RowWriter } from '../../src/engine/row-writer.ts'
import type { Syncer } from '../../src/engine/syncer.ts'
import type { LiveEvent } from '../../src/pure/changes.ts'
import type { Batch } from '../../src/pure/state.ts'

/** What happens in a random history, and ways to break the client. */

export type Step =
  | {
    type: 'say' | 'edit' | 'delete' | 'purge' | 'pin' | 'hidden' | 'read' | 'clear' | 'hide',
    place: number
    pick: number
  }
  | { type: 'kick' | 'return' | 'backUp' | 'restore' | 'disconnect' | 'connect' | 'tick' | 'beat' }
  | { type: 'crash' | 'lead' | 'mail' | 'late', tab: number }
  | { type: 'deliver', tab: number, order: number, fate: 'once' | 'twice' | 'never' }
  | { type: 'answer', tab: number, fate: 'now' | 'lost' | 'late' }
  | { type: 'send' | 'change' | 'undo' | 'mark' | 'clearHere' | 'hideHere', tab: number, place: number, pick: number }
  | { type: 'page', tab: number, place: number }
  | { type: 'poll', tab: number }
  | { type: 'ask', tab: number, what: 'sync' | 'join' }
  | { type: 'look', tab: number, place: number, pick: number }
  | { type: 'jump', ms: number }

export interface Spec {
  /** Messages of one answer of a sync. */
  limit: number
  tabs: number
  showsAll: boolean
  /** It comes to rest by long polls, and not by a socket. */
  endsPolling: boolean
  /** The commit at which the tab that commits dies: before it is stored, or after. */
  diesAt: number
  isStored: boolean
  /** The commit that the disk refuses, and the program goes on. */
  refusedAt: number
  steps: Step[]
}

/** Ways to break the client. */
export interface Mutation {
  /** What the storage does with a batch. */
  bendBatch?: (batch: Batch) => Batch
  bendEvent?: (event: LiveEvent) => LiveEvent
  bendEngine?: (engine: Engine) => void
  bendRows?: (rows: RowWriter) => void
  bendSyncer?: (syncer: Syncer) => void
  /** What happens before the random part. */
  first?: Step[]
}
