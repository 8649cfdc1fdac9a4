import type { LogCollections } from './collections.ts'
import type { Known } from './plan.ts'

/**
 * Fairness among nodes. Of two that write to one conversation without a pause, the one that has just committed knows
 * the new head first and wins again and again; the other would lose every try. After a few it asks for its turn, by
 * a mark on the head: an update outside of transactions waits in the server until the conversation is free for a
 * moment. The mark makes the next commit of the others fail, and they wait until it is gone or its node seems dead.
 */

/** Tries that are lost before a node asks. */
export const triesBeforeTurn = 2
/** How long others wait: so often, so many ms apart. */
export const turnPolls = { max: 40, everyMs: 5 }

export async function askForTurn ({ conversations }: LogCollections, conversationIds: string[], node: string): Promise<void> {
  // Bounded: what holds the conversation may be an own transaction whose abort was lost.
  await conversations.updateMany({ _id: { $in: conversationIds }, turn: { $exists: false } }, { $set: { turn: node } }, { maxTimeMS: 500 })
}

/** Is it another's turn in one of these conversations? */
export function isAnothersTurn ({ heads }: Known, node: string): boolean {
  for (const head of heads.values()) if (head?.turn !== undefined && head.turn !== node) return true
  return false
}
