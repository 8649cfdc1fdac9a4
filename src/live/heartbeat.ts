import { LRUCache } from 'lru-cache'
import { upTo } from '../lib/up-to.ts'
import { type Rev, selfLogId } from '../log/model/types.ts'
import { wireIdOf } from '../sync/change-payload.ts'
import type { SyncContext } from '../sync/context.ts'
import { audienceOf } from './audience.ts'
import type { Subscriptions } from './subscriptions.ts'
import { type ChatSocket, liveRoom } from '../connection/socket-types.ts'

/** Milliseconds between two heartbeats. The interval varies randomly, so that nodes do not beat together. */
const intervalMs = 25_000
const jitter = 0.2
/** Heads that one heartbeat checks for changes that no event announced. */
const conversationsMax = 20_000
/** Self logs that one heartbeat checks. */
const usersMax = 5_000

/** A conversation and its last rev. */
export type HeadRev = readonly [conversationId: string, rev: Rev]

/** Milliseconds until the next heartbeat. */
export function nextHeartbeatMs (): number {
  return intervalMs * (1 + jitter * (Math.random() * 2 - 1))
}

/**
 * Collects what each heartbeat announces: the last revs of the conversations that changed since the previous one. A
 * client that lost the last event of a conversation sees no gap in its revs, and needs the heartbeat to notice.
 */
export class Heartbeat {
  private readonly subscriptions: Subscriptions
  private readonly sync: SyncContext
  /** Conversations that changed since the last heartbeat. */
  private changed = new Map<string, Rev>()
  /** The last rev that subscribers were told or have seen. */
  private readonly lastTold: LRUCache<string, Rev>
  /** Users whose conversations are still to be checked in this cycle. */
  private usersToCheck: string[] = []
  /** A heartbeat is being prepared: changes found now are part of it. */
  isChecking = false

  /** @param max conversations whose revs are kept */
  constructor (subscriptions: Subscriptions, sync: SyncContext, max = 400_000) {
    this.lastTold = new LRUCache(upTo(max))
    this.subscriptions = subscriptions
    this.sync = sync
  }

  /** Call this when a change of the conversation is sent, even if it has no subscribers. */
  recordDelivered (conversationId: string, rev: Rev): void {
    this.changed.set(conversationId, rev)
    this.lastTold.set(conversationId, rev)
  }

  /** Call this when a socket is told this rev. If the rev is new here, other subscribers may not know it. */
  recordSeen (conversationId: string, rev: Rev, { rooms }: ChatSocket): void {
    if (this.isTold([conversationId, rev])) return
    // The socket itself may have disconnected meanwhile.
    const hasOthers = audienceOf(conversationId).some(room => {
      return this.subscriptions.countIn(room) > (rooms.has(room) ? 1 : 0)
    })
    if (!hasOthers) this.lastTold.set(conversationId, rev)
  }

  /** Puts the conversation into the next heartbeat, for a socket that subscribed after the last one. */
  repeatHead (conversationId: string): void {
    const rev = this.lastTold.get(conversationId)
    // If the rev is unknown, `check` finds it.
    if (rev !== undefined) this.changed.set(conversationId, rev)
  }

  isTold ([conversationId, rev]: HeadRev): boolean {
    return (this.lastTold.get(conversationId) ?? 0) >= rev
  }

  /** The last rev that all subscribers were told or have seen, if it is known. */
  toldRev (conversationId: string): Rev | undefined {
    return this.lastTold.get(conversationId)
  }

  /**
   * Finds changes that this process was not told of: a commit of unknown outcome, or a lost event of another node. It
   * checks self logs first, because a missed membership changes the subscribers of the rest.
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

  /** The revs that the heartbeat announces, by socket subscribed now. */
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

  /** A live user's conversations at their last sync, as far as a socket wants them, and those that began later. */
  private conversationsOf (userId: string): string[] {
    const sockets = this.subscriptions.socketsOf(liveRoom(userId))
    const subscribed = sockets.flatMap(socket => this.subscriptions.subscribedBy(socket))
    if (sockets.every(socket => this.subscriptions.isChoosy(socket))) return subscribed
    const own = this.sync.conversations.peek(userId)?.list ?? []
    return [...own.map(({ conversationId }) => conversationId), ...subscribed]
  }

  /**
   * A conversation of which nothing was sent here may have begun unseen. It is announced; a client that knows the rev
   * ignores it.
   */
  private async findUntold (ids: Iterable<string>): Promise<HeadRev[]> {
    const heads = [...await this.sync.chat.log.heads(ids)].map(([id, { headRev }]): HeadRev => [id, headRev])
    return heads.filter(head => !this.isTold(head))
  }
}
