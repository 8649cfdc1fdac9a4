import type { FastifyBaseLogger } from 'fastify'
import { LRUCache } from 'lru-cache'
import { type Rev, selfLogId } from '../log/model/types.ts'
import { wireIdOf } from '../sync/change-payload.ts'
import type { SyncContext } from '../sync/context.ts'
import { audienceOf } from './audience.ts'
import { type Order, type Schedule, schedule } from './order.ts'
import { Outlet } from './outlet.ts'
import type { Subscriptions } from './subscriptions.ts'
import { type ChatSocket, liveRoom } from './types.ts'

/** Milliseconds between two beats, and by how much of that they vary, so that nodes do not beat together. */
const beatMs = 25_000
const jitter = 0.2
/** Conversations whose heads are looked at in a beat, for changes that no event told of. */
const lookedAtMax = 20_000
/** Users whose own logs are looked at in a beat. */
const usersLookedAtMax = 5_000

/**
 * Tells each socket about every 25 s where its conversations stand that changed meanwhile: a client that has lost the last
 * event of a conversation sees no hole in its revs, and would otherwise not learn of it.
 */
export class Beacon {
  private readonly subscriptions: Subscriptions
  private readonly sync: SyncContext
  private readonly order: Order
  private readonly log: FastifyBaseLogger
  /** Changed since the last beat. */
  private changed = new Map<string, Rev>()
  /** The rev at which a conversation was last told of, or found. */
  private readonly known: LRUCache<string, Rev>
  /** Users whose conversations are still to be looked at before it begins with the first again. */
  private toLookAt: string[] = []
  private isLooking = false

  /** @param max conversations whose revs are kept */
  constructor (subscriptions: Subscriptions, sync: SyncContext, order: Order, log: FastifyBaseLogger, max = 400_000) {
    this.known = new LRUCache({ max })
    this.subscriptions = subscriptions
    this.sync = sync
    this.order = order
    this.log = log
  }

  /** Beats from now on; returns the way to stop. */
  start (after: Schedule = schedule): () => void {
    let stopped = false
    let stopTimer = () => {}
    const next = () => {
      if (stopped) return
      stopTimer = after(() => {
        this.beat().catch((error: unknown) => { this.log.error({ err: error }, 'heads could not be looked at') }).then(next, next)
      }, beatMs * (1 + jitter * (Math.random() * 2 - 1)))
    }
    next()
    return () => {
      stopped = true
      stopTimer()
    }
  }

  /** A change of this conversation has been sent, or would have been. */
  note (conversationId: string, rev: Rev): void {
    this.changed.set(conversationId, rev)
    this.known.set(conversationId, rev)
  }

  /** A client was told that the conversation stands there. Where it is not known here, others who follow it may not have been. */
  found (conversationId: string, rev: Rev): void {
    if (this.known.has(conversationId)) return
    const followers = audienceOf(conversationId).reduce((count, room) => count + this.subscriptions.countIn(room), 0)
    if (followers <= 1) this.known.set(conversationId, rev)
  }

  /** Somebody follows it who was not there when it was told of: the next beat tells where it stands. */
  tellAgain (conversationId: string): void {
    const rev = this.known.get(conversationId)
    // What is not known is looked at.
    if (rev !== undefined) this.changed.set(conversationId, rev)
  }

  async beat (): Promise<void> {
    await this.look()
    const { changed } = this
    this.changed = new Map()
    this.tell(changed)
  }

  /** To those who follow them now. */
  private tell (changed: ReadonlyMap<string, Rev>): void {
    const heads = new Map<ChatSocket, Record<string, number>>()
    for (const [conversationId, rev] of changed) {
      const wireId = wireIdOf(conversationId)
      for (const room of audienceOf(conversationId)) {
        for (const socket of this.subscriptions.socketsIn(room)) {
          const mine = heads.get(socket)
          if (mine === undefined) heads.set(socket, { [wireId]: rev })
          else mine[wireId] = rev
        }
      }
    }
    for (const [socket, mine] of heads) {
      // Whoever is behind is told to sync when they have caught up.
      if (!Outlet.of(socket).isFull()) socket.emit('heads', mine)
    }
  }

  /** Looks for changes of which this process was not told: a commit whose end is unknown, an event of another node that was lost. */
  private async look (): Promise<void> {
    this.isLooking = true
    try {
      await this.lookAround()
    } finally {
      this.isLooking = false
    }
  }

  private async lookAround (): Promise<void> {
    if (this.toLookAt.length === 0) this.toLookAt = this.subscriptions.liveUsers()
    const userIds = this.toLookAt.splice(-usersLookedAtMax)
    // The own logs first: a membership of which nobody here was told decides who is told of the rest.
    await this.lookAt(userIds.map(selfLogId))
    const ids = new Set<string>()
    for (let userId = userIds.pop(); userId !== undefined; userId = userIds.pop()) {
      for (const { conversationId } of this.sync.conversations.peek(userId)?.list ?? []) ids.add(conversationId)
      // And what began after the last sync.
      for (const socket of this.subscriptions.socketsIn(liveRoom(userId))) for (const conversationId of this.subscriptions.followedBy(socket)) ids.add(conversationId)
      if (ids.size >= lookedAtMax) break
    }
    this.toLookAt.push(...userIds)
    await this.lookAt(ids)
  }

  /** What is not known of here is told in its order: whoever may follow no more is taken out before. */
  private async lookAt (ids: Iterable<string>): Promise<void> {
    for (const [id, { headRev }] of await this.sync.chat.log.heads(ids)) {
      const known = this.known.get(id)
      if (known !== undefined && known >= headRev) continue
      // The rest is found again by the next beat.
      if (this.order.isBusy) return
      // One that nobody here has been told of may have begun unseen: who knows it compares, and does nothing.
      this.order.takeAt(id, headRev, () => {
        // What has come meanwhile tells of it.
        if ((this.known.get(id) ?? 0) >= headRev) return
        this.note(id, headRev)
        if (!this.isLooking) this.tell(new Map([[id, headRev]]))
      })
    }
  }
}
