import type { CommitUnit } from './plan.ts'
import { selfLogOwner } from '../model/types.ts'

/**
 * Chooses the waiting units of the next transaction. A unit waits behind every earlier one that shares a conversation
 * with it, so that messages sent over one connection commit in the order in which they were sent.
 */

export interface QueuedUnit {
  unit: CommitUnit
  /** Conversations that the unit touches, self logs among them. */
  conversations: readonly string[]
  /** Rough size of what the unit writes. */
  bytes: number
}

export interface BatchLimits {
  countMax: number
  bytesMax: number
  /**
   * If this node is the sole writer, one transaction may hold units of different conversations. Otherwise every
   * further head in a transaction makes a conflict with another node likelier. Self logs may always come along: only
   * their own user's operations write to them.
   */
  isSoleWriter: boolean
}

/**
 * Takes the next batch out of `waiting`, which keeps the rest in order. The batch is empty if every waiting unit must
 * go on waiting.
 * @param busy conversations that running transactions hold
 */
export function takeBatch<T extends QueuedUnit> (
  waiting: T[], busy: ReadonlySet<string> | ReadonlyMap<string, unknown>, limits: BatchLimits
): T[] {
  const batch: T[] = []
  const rest: T[] = []
  const blocked = new Set<string>()
  const scope = new Set<string>()
  let bytes = 0
  for (let i = 0; i < waiting.length; i++) {
    const item = waiting[i]!
    const fits = item.conversations.every(id => !busy.has(id) && !blocked.has(id)) &&
      (limits.isSoleWriter || batch.length === 0 || belongs(item.conversations, scope))
    if (!fits) {
      for (const id of item.conversations) blocked.add(id)
      rest.push(item)
      continue
    }
    batch.push(item)
    for (const id of item.conversations) scope.add(id)
    bytes += item.bytes
    if (batch.length >= limits.countMax || bytes >= limits.bytesMax) {
      for (let k = i + 1; k < waiting.length; k++) rest.push(waiting[k]!)
      break
    }
  }
  waiting.length = 0
  for (const item of rest) waiting.push(item)
  return batch
}

function belongs (conversations: readonly string[], scope: ReadonlySet<string>): boolean {
  return conversations.some(id => scope.has(id)) &&
    conversations.every(id => scope.has(id) || selfLogOwner(id) !== undefined)
}

/** Returns the units whose guards admit them; rejects the others. */
export async function guarded<T extends QueuedUnit & { reject: (error: unknown) => void }> (batch: T[]): Promise<T[]> {
  if (batch.every(({ unit }) => unit.guard === undefined)) return batch
  const admitted: T[] = []
  for (const item of batch) {
    try {
      const pending = item.unit.guard?.()
      if (pending !== undefined) await pending
      admitted.push(item)
    } catch (error) {
      item.reject(error)
    }
  }
  return admitted
}

/** Rough size of what a unit writes. */
export function bytesOf ({ mutations }: CommitUnit): number {
  const texts = mutations.map(mutation => mutation.type === 'append' ? mutation.row.message?.length ?? 0 : 0)
  return texts.reduce((sum, characters) => sum + 256 + characters * 3, 0)
}
