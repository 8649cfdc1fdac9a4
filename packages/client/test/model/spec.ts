import type { Engine } from '../../src/engine/engine.ts'
import type { Syncer } from '../../src/engine/syncer.ts'
import type { LiveEvent } from '../../src/pure/normalize.ts'
import type { Batch } from '../../src/storage/storage.ts'

/** What happens in a random history, and ways to break the client. */

export type Step =
  | { type: 'say' | 'edit' | 'delete' | 'purge' | 'hidden' | 'read', place: number, pick: number }
  | { type: 'kick' | 'return' | 'restore' | 'disconnect' | 'connect' | 'crash' | 'tick' | 'beat' }
  | { type: 'deliver', order: number, fate: 'once' | 'twice' | 'never' }
  | { type: 'answer', isLost: boolean }
  | { type: 'send' | 'change' | 'undo' | 'mark', place: number, pick: number }
  | { type: 'page', place: number, isLate: boolean }
  | { type: 'jump', ms: number }

export interface Spec { seed: number, limit: number, diesAt: number, steps: Step[] }

/** Ways to break the client. */
export interface Mutation {
  /** What the storage does with a batch. */
  bendBatch?: (batch: Batch) => Batch
  bendEvent?: (event: LiveEvent) => LiveEvent
  bendEngine?: (engine: Engine) => void
  bendSyncer?: (syncer: Syncer) => void
  /** Applies pages of history whatever has happened since they were asked for. */
  takesOldPages?: boolean
  /** What happens before the random part. */
  first?: Step[]
}
