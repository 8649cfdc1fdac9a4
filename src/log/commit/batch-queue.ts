import type { CommitUnit } from './plan.ts'
import { selfLogOwner } from '../model/types.ts'

/**
 * Which waiting units the next transaction takes. A unit waits behind every earlier one that shares a conversation
 * with it, so that what one sender sent over one connection commits in that order.
 */

export interface QueuedUnit {
  unit: CommitUnit
  /** Conversations that the unit touches, own logs among them. */
  conversations: readonly string[]
  /** Rough size of what it writes. */
  bytes: number
}

export interface BatchLimits {
  countMax: number
  bytesMax: number
  /**
   * May one transaction hold units of different conversations? Only where nobody else writes (the embedded engine):
   * elsewhere every further head in a transaction makes a conflict with another node likelier. Own logs may always
   * come along: who writes to one, writes for that user.
   */
  isSoleWriter: boolean
}

/**
 * Takes the next batch out of `waiting`, which keeps the rest in order. `busy` names the conversations that a
 * running transaction holds. Returns an empty batch when nothing can go now.
 */
export function takeBatch<T extends QueuedUnit> (waiting: T[], busy: ReadonlySet<string> | ReadonlyMap<string, unknown>, bounds: BatchLimits): T[] {
  const batch: T[] = []
  const rest: T[] = []
  const blocked = new Set<string>()
  const scope = new Set<string>()
  let bytes = 0
  for (let i = 0; i < waiting.length; i++) {
    const item = waiting[i]!
    const fits = item.conversations.every(id => !busy.has(id) && !blocked.has(id)) &&
      (bounds.isSoleWriter || batch.length === 0 || belongs(item.conversations, scope))
    if (!fits) {
      for (const id of item.conversations) blocked.add(id)
      rest.push(item)
      continue
    }
    batch.push(item)
    for (const id of item.conversations) scope.add(id)
    bytes += item.bytes
    if (batch.length >= bounds.countMax || bytes >= bounds.bytesMax) {
      for (let k = i + 1; k < waiting.length; k++) rest.push(waiting[k]!)
      break
    }
  }
  waiting.length = 0
  for (const item of rest) waiting.push(item)
  return batch
}

function belongs (conversations: readonly string[], scope: ReadonlySet<string>): boolean {
  return conversations.some(id => scope.has(id)) && conversations.every(id => scope.has(id) || selfLogOwner(id) !== undefined)
}
