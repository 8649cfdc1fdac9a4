import { LRUCache } from 'lru-cache'
import { upTo } from '../lib/up-to.ts'
import { type State, hasPending, newState, pendingCount, uncertain } from './resequencer.ts'

/**
 * How far each conversation is delivered to sockets of this process. Conversations with pending deliveries are always
 * kept. Of the others the least recently changed are dropped.
 */
export class Watermarks {
  private readonly settled: LRUCache<string, State>
  /** Any conversation that is not here may have been dropped, and its changes may have passed unseen. */
  private hasDropped = false
  private readonly pending = new Map<string, { state: State, count: number }>()
  /** Deliveries held back, in all conversations together. */
  pendingCount = 0
  /** The number of each conversation's last verification. */
  private readonly verifications: LRUCache<string, number>
  /** The highest number among dropped conversations. */
  private forgotten = 0
  /** Verifications so far. */
  verificationCount = 0

  /** @param max conversations that are kept */
  constructor (max = 400_000) {
    this.settled = new LRUCache({
      ...upTo(max),
      dispose: (_state, _id, reason) => { if (reason === 'evict') this.hasDropped = true }
    })
    this.verifications = new LRUCache({
      ...upTo(max),
      dispose: (number, _id, reason) => { if (reason === 'evict') this.forgotten = Math.max(this.forgotten, number) }
    })
  }

  get (conversationId: string): State {
    const held = this.pending.size === 0 ? undefined : this.pending.get(conversationId)
    return held?.state ?? this.settled.get(conversationId) ?? (this.hasDropped ? uncertain : newState)
  }

  /** @param before the state that `get` returned */
  set (conversationId: string, before: State, state: State): void {
    if (!hasPending(before) && !hasPending(state)) {
      // A `live` state's rev is changed in place.
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

  /**
   * Call this when the conversation's changes are no longer heard: the next one is treated as its first, and what
   * passes meanwhile is no gap.
   */
  forget (conversationId: string): void {
    if (!this.pending.has(conversationId)) this.settled.delete(conversationId)
  }

  get hasPending (): boolean {
    return this.pending.size > 0
  }

  /** Drops all pending deliveries silently. */
  clear (): void {
    this.pending.clear()
    this.pendingCount = 0
  }

  /** Call this when the conversation's subscribers are verified. */
  setVerified (conversationId: string): void {
    this.verifications.set(conversationId, ++this.verificationCount)
  }

  /** Was the conversation verified after verification `since`? If so, a membership read before may be stale. */
  verifiedSince (conversationId: string, since: number): boolean {
    return this.verificationCount > since && (this.verifications.get(conversationId) ?? this.forgotten) > since
  }
}
