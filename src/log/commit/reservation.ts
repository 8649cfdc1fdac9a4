import type { LogCollections } from '../model/collections.ts'
import type { PlanInput } from './plan.ts'

/**
 * Fairness among nodes. If two nodes write to one conversation without a pause, the one that has just committed knows
 * the new head first and wins again and again; the other would lose every try. After a few tries it reserves the head:
 * an update outside of transactions, which waits in the server until the conversation is free for a moment. The
 * reservation fails the other nodes' next commit. They wait until it is gone, or until its node seems dead.
 */

/** Lost tries before a node reserves. */
export const attemptsBeforeReserving = 2
/** How often, and how many milliseconds apart, a node looks again at a head that another node has reserved. */
export const reservationPoll = { max: 40, everyMs: 5 }

export async function reserveHeads ({ heads }: LogCollections, conversationIds: string[], node: string): Promise<void> {
  const filter = { _id: { $in: conversationIds }, reservedBy: { $exists: false } }
  // At most 500 ms: the conversation may be held by this node's own transaction, if its abort was lost.
  await heads.updateMany(filter, { $set: { reservedBy: node } }, { maxTimeMS: 500 })
}

/** Has another node reserved one of these heads? */
export function isReservedByOther ({ heads }: PlanInput, node: string): boolean {
  for (const head of heads.values()) if (head?.reservedBy !== undefined && head.reservedBy !== node) return true
  return false
}
