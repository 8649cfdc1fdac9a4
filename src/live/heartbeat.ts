import { LRUCache } from 'lru-cache'
import { type Rev, selfLogId } from '../log/model/types.ts'
import { wireIdOf } from '../sync/change-payload.ts'
import type { SyncContext } from '../sync/context.ts'
import { audienceOf } from './audience.ts'
import type { Subscriptions } from './subscriptions.ts'
import { type ChatSocket, liveRoom } from '../connection/socket-types.ts'

/** Milliseconds between two heartbeats, and by how much of that they vary, so that nodes do not beat together. */
const intervalMs = 25_000
const jitter = 0.2
/** Conversations whose heads are checked in a heartbeat, for changes that no event told of. */
const conversationsMax = 20_000
/** Users whose self logs are checked in a heartbeat. */
const usersMax = 5_000

/** A conversation, and the rev at which it stands. */
export type HeadRev = readonly [conversationId: string, rev: Rev]

/** Milliseconds until the next heartbeat. */
export function nextHeartbeatMs (): number {
  return intervalMs * (1 + jitter * (Math.random() * 2 - 1))
}

/**
 * Knows what each heartbeat has to say: where the conversations stand that changed since the last one. A client that has lost
 * the last event of a conversation sees no gap in its revs, and would otherwise not learn of it.
 */
export class Heartbeat {
  private readonly subscriptions: Subscriptions
  private readonly sync: SyncContext
  /** Changed since the last heartbeat. */
  private changed = new Map<string, Rev>()
  /** The rev that subscribers were told of last, or have seen. */
  private readonly lastTold: LRUCache<string, Rev>
  /** Users whose conversations are still to be checked before it begins with the first again. */
  private usersToCheck: string[] = []
  /** A heartbeat is being made: what it finds goes with it. */
  isChecking = false

  /** @param max conversations whose revs are kept */
  constructor (subscriptions: Subscriptions, sync: SyncContext, max = 400_000) {
    this.lastTold = new LRUCache({ max })
    this.subscriptions = subscriptions
    this.sync = sync
  }

  /** A change of this conversation has been sent, or would have been. */
  recordDelivered (conversationId: string, rev: Rev): void {
    this.changed.set(conversationId, rev)
    this.lastTold.set(conversationId, rev)
  }

  /** A client was told that the conversation stands there. If that is news here, its other subscribers may not know. */
  recordSeen (conversationId: string, rev: Rev): void {
    if (this.lastTold.has(conversationId)) return
    const sockets = audienceOf(conversationId).reduce((count, room) => count + this.subscriptions.countIn(room), 0)
    if (sockets <= 1) this.lastTold.set(conversationId, rev)
  }

  /** Somebody subscribed who was not there when it was told of: the next heartbeat says where it stands. */
  repeatHead (conversationId: string): void {
    const rev = this.lastTold.get(conversationId)
    // What is not known is checked.
    if (rev !== undefined) this.changed.set(conversationId, rev)
  }

  isTold ([conversationId, rev]: HeadRev): boolean {
    return (this.lastTold.get(conversationId) ?? 0) >= rev
  }

  /**
   * Looks for changes of which this process was not told: a commit of unknown outcome, another node's event that was lost. Self
   * logs come first: an unheard membership decides who is told of the rest.
   */
  async * check (): AsyncGenerator<HeadRev[], void> {
    this.isChecking = true
    try {
      if (this.usersToCheck.length === 0) this.usersToCheck = this.subscriptions.liveUsers()
      const userIds = this.usersToCheck.splice(-usersMax)
      yield await this.findUntold(userIds.map(selfLogId))
      const ids = new Set<string>()
      for (let userId = userIds.pop(); userId !== undefined; userId = userIds.pop()) {
        for (const id of this.conversationsOf(userId)) ids.add(id)
        if (ids.size >= conversationsMax) break
      }
      this.usersToCheck.push(...userIds)
      yield await this.findUntold(ids)
    } finally {
      this.isChecking = false
    }
  }

  /** What the heartbeat says, to those who are subscribed now. */
  takeHeads (): Map<ChatSocket, Record<string, number>> {
    const { changed } = this
    this.changed = new Map()
    return this.headsOf(changed)
  }

  headsOf (revs: Iterable<HeadRev>): Map<ChatSocket, Record<string, number>> {
    const heads = new Map<ChatSocket, Record<string, number>>()
    for (const [conversationId, rev] of revs) {
      const wireId = wireIdOf(conversationId)
      for (const socket of audienceOf(conversationId).flatMap(room => this.subscriptions.socketsOf(room))) {
        const mine = heads.get(socket)
        if (mine === undefined) heads.set(socket, { [wireId]: rev })
        else mine[wireId] = rev
      }
    }
    return heads
  }

  /** A live user's conversations as of their last sync, and what began after it. */
  private conversationsOf (userId: string): string[] {
    const places = this.sync.conversations.peek(userId)?.list ?? []
    const sockets = this.subscriptions.socketsOf(liveRoom(userId))
    return [...places.map(({ conversationId }) => conversationId), ...sockets.flatMap(socket => this.subscriptions.subscribedBy(socket))]
  }

  /** One that nobody here has been told of may have begun unseen: who knows it compares, and does nothing. */
  private async findUntold (ids: Iterable<string>): Promise<HeadRev[]> {
    const heads = [...await this.sync.chat.log.heads(ids)].map(([id, { headRev }]): HeadRev => [id, headRev])
    return heads.filter(head => !this.isTold(head))
  }
}
