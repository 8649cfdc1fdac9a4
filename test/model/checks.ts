import { TidelogError } from '../../src/errors.ts'
import type { CommitUnit, UnitOutcome } from '../../src/log/commit/plan.ts'
import { selfLogId } from '../../src/log/model/types.ts'
import type { Books } from './books.ts'
import type { Node } from './node.ts'
import { holes } from './live.ts'
import type { Client } from './client.ts'
import type { FakeMongo } from './fake-mongo.ts'
import type { Truth } from './truth.ts'
import { direct, markOf, poison } from './units.ts'

/** A request for a commit, and what its caller was told. */
export interface Call {
  node: Node
  /** Calls of one connection are made in order. */
  connection: string
  isRetry: boolean
  unit: CommitUnit
  /** The last seq of the direct conversation when the call was made. */
  headSeq: number
  era: number
  outcome?: UnitOutcome
  error?: unknown
}

/** What each caller was told is true, and what its call changed was delivered by some node. */
export function checkCalls (
  calls: readonly Call[], books: Books, { era, isCalm, isLagging }: { era: number, isCalm: boolean, isLagging: boolean }
): void {
  const { broken } = books
  for (const [number, call] of calls.entries()) {
    const { node, unit, outcome, error, headSeq } = call
    const [change] = unit.mutations
    if (outcome === undefined && error === undefined && node.alive) broken.push('a call is never answered')
    if (error instanceof TidelogError && !error.retryable) broken.push(`a call fails with ${String(error)}`)
    if (error !== undefined && isCalm && !isPoison(unit)) broken.push(`a call fails for no reason: ${String(error)}`)
    if (outcome === undefined || call.era !== era) continue
    books.checkOutcome(node.name, unit, outcome)
    if (node.alive && !isLagging) books.checkHeard(unit, markOf(number))
    if (change?.type !== 'read' || change.conversationId !== direct) continue
    if (outcome.outcome !== 'unchanged' && outcome.outcome !== 'committed') continue
    if (outcome.reads[0]!.readSeq < Math.min(change.seq, headSeq)) broken.push('a read position is lost')
  }
}

/** One sender's messages are stored in the order in which they were sent over one connection. */
export function checkOrder (calls: readonly Call[], { broken }: Books, era: number): void {
  const last = new Map<string, number>()
  for (const { connection, isRetry, unit, outcome, era: madeIn } of calls) {
    const [change] = unit.mutations
    if (isRetry || madeIn !== era || change?.type !== 'append' || outcome?.outcome !== 'committed') continue
    const key = `${connection} ${change.conversationId}`
    const seq = outcome.rows[0]!.seq!
    if (seq <= (last.get(key) ?? 0)) broken.push('messages of one connection changed places')
    last.set(key, seq)
  }
}

/** I7 if nothing is lost: revs arrive without gaps, up to the head. */
export function checkCalm (clients: readonly Client[], { broken }: Books, mongo: FakeMongo): void {
  for (const { live, options: { live: isLive, identity: { userId } } } of clients) {
    if (!isLive) continue
    if (holes(live).length > 0) broken.push('I7: a hole in the live revs')
    for (const [id, rev] of Object.entries(live.revs)) {
      const head = mongo.read('conversations', id === 'self' ? selfLogId(userId) : id)
      if (rev !== head?.['headRev']) broken.push('I7: the last live revs are missing')
    }
  }
}

/** At rest, each client holds what is stored and theirs. */
export function checkClients (
  invariant: string, clients: readonly Client[], { broken }: Books, truth: Truth, withReads: boolean
): void {
  for (const { live, options } of clients) {
    const differs = truth.differing(live.state, options.identity.userId, { withReads })
    if (differs !== undefined) broken.push(`${invariant}: ${options.name} differs at rest: ${differs}`)
  }
}

function isPoison ({ mutations: [change] }: CommitUnit): boolean {
  return change?.type === 'append' && change.row.message === poison
}
