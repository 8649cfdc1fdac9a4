import type { LogCollections } from '../model/collections.ts'
import type { PlanInput } from './plan.ts'

/**
 * Fairness among nodes. Of two that write to one conversation without a pause, the one that has just committed knows
 * the new head first and wins again and again; the other would lose every try. After a few it asks for its turn, by
 * a mark on the head: an update outside of transactions waits in the server until the conversation is free for a
 * moment. The mark makes the next commit of the others fail, and they wait until it is gone or its node seems dead.
 */

/** Tries that are lost before a node asks. */
export const attemptsBeforeReserving = 2
/** How long others wait: so often, so many ms apart. */
export const reservationPoll = { max: 40, everyMs: 5 }

export async function reserveHeads ({ heads }: LogCollections, conversationIds: string[], node: string): Promise<void> {
  // Bounded: what holds the conversation may be an own transaction whose abort was lost.
  await heads.updateMany({ _id: { $in: conversationIds }, reservedBy: { $exists: false } }, { $set: { reservedBy: node } }, { maxTimeMS: 500 })
}

/** Is it another's turn in one of these conversations? */
export function isReservedByOther ({ heads }: PlanInput, node: string): boolean {
  for (const head of heads.values()) if (head?.reservedBy !== undefined && head.reservedBy !== node) return true
  return false
}
