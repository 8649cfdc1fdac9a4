import { LRUCache } from 'lru-cache'
import { type State, hasPending, newState, pendingCount } from './resequencer.ts'

/**
 * How far each conversation has been delivered to sockets of this process. Those with something pending are all kept; of
 * the others the ones least recently heard of are forgotten: the next change of such a one is treated as the first.
 */
export class Watermarks {
  private readonly settled: LRUCache<string, State>
  private readonly pending = new Map<string, { state: State, count: number }>()
  /** Deliveries that are held back, in all conversations together. */
  pendingCount = 0
  /** The number that each conversation's last verification had. */
  private readonly verifications: LRUCache<string, number>
  /** The highest of those that are forgotten. */
  private forgotten = 0
  /** Verifications so far. */
  verificationCount = 0

  /** @param max conversations of which something is kept */
  constructor (max = 400_000) {
    this.settled = new LRUCache({ max })
    this.verifications = new LRUCache({
      max,
      dispose: (number, _id, reason) => { if (reason === 'evict') this.forgotten = Math.max(this.forgotten, number) }
    })
  }

  get (conversationId: string): State {
    const held = this.pending.size === 0 ? undefined : this.pending.get(conversationId)
    return held?.state ?? this.settled.get(conversationId) ?? newState
  }

  /** @param before the state that `get` gave */
  set (conversationId: string, before: State, state: State): void {
    if (!hasPending(before) && !hasPending(state)) {
      // The rev of a live conversation is moved in place.
      if (state !== before) this.settled.set(conversationId, state)
      return
    }
    const count = pendingCount(state)
    this.pendingCount += count - (this.pending.get(conversationId)?.count ?? 0)
    if (hasPending(state)) this.pending.set(conversationId, { state, count })
    else {
      this.pending.delete(conversationId)
      this.settled.set(conversationId, state)
    }
  }

  get hasPending (): boolean {
    return this.pending.size > 0
  }

  /** Drops what is pending, without a word. */
  clear (): void {
    this.pending.clear()
    this.pendingCount = 0
  }

  /** Who subscribes to the conversation is who may, as of now. */
  setVerified (conversationId: string): void {
    this.verifications.set(conversationId, ++this.verificationCount)
  }

  /** Was it verified since there were so many? A membership that was read meanwhile may be from before something unseen. */
  verifiedSince (conversationId: string, since: number): boolean {
    return this.verificationCount > since && (this.verifications.get(conversationId) ?? this.forgotten) > since
  }
}
