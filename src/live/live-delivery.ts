import type { FastifyBaseLogger } from 'fastify'
import type { ChatContext } from '../chat/context.ts'
import { type Schedule, schedule } from '../lib/schedule.ts'
import type { CommittedBatch } from '../log/commit/committer.ts'
import { type LogRow, type Member, type Rev, memberKey, revOf, selfLogId, selfLogOwner } from '../log/model/types.ts'
import { dependsOnMembership } from './audience.ts'
import { Broadcaster } from './broadcaster.ts'
import type { AfterEvent, Delivery } from './delivery.ts'
import type { GapSource } from './gap-source.ts'
import { type Heartbeat, nextHeartbeatMs } from './heartbeat.ts'
import { type Action, type Event, type Facts, type Job, resequence } from './resequencer.ts'
import { type ChatServer, liveRoom } from '../connection/socket-types.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { Watermarks } from './watermarks.ts'
import { type EventWriter, writeDelivery, writeHeads } from './write-events.ts'
import { isClustered } from '../connection/socket-io.ts'

/** What is pending in all conversations together. */
const pendingMax = 10_000

export interface LiveDeliveryOptions {
  io: ChatServer
  chat: ChatContext
  watermarks: Watermarks
  subscriptions: Subscriptions
  heartbeat: Heartbeat
  gapSource: GapSource
  logger: FastifyBaseLogger
  later?: Schedule
  /** Replaced by tests. */
  resequence?: typeof resequence
  isClustered?: () => boolean
}

/**
 * The one place that tells sockets of this process what was committed, here or on other nodes. It asks the resequencer what
 * to do, and does it. A delivery whose payload must wait for a read holds up the later ones of its conversation, and no other.
 */
export class LiveDelivery {
  readonly heartbeat: Heartbeat
  /** Sockets whose `markRead` is under way, by the member's key: they get an acknowledgement, the others an event. */
  readonly markReadSockets = new Map<string, string>()
  private readonly options: LiveDeliveryOptions
  private readonly writer: EventWriter
  private readonly decide: typeof resequence
  private readonly isClustered: () => boolean
  private readonly later: Schedule
  /** The last delivery under way of each conversation. */
  private readonly queues = new Map<string, Promise<void>>()
  /** Ends the waiting of a conversation at a gap. */
  private readonly timers = new Map<string, () => void>()
  private readonly unsubscribe: () => void
  private stopHeartbeat = () => {}
  private isStopped = false

  constructor (options: LiveDeliveryOptions) {
    const { io, chat, subscriptions, heartbeat } = options
    this.options = options
    this.heartbeat = heartbeat
    this.writer = { io, chat, subscriptions, heartbeat, broadcaster: new Broadcaster(io) }
    this.decide = options.resequence ?? resequence
    this.isClustered = options.isClustered ?? (() => isClustered(io))
    this.later = options.later ?? schedule
    this.unsubscribe = chat.log.onCommitted(
      committed => { this.onCommitted(committed) },
      conversationIds => { for (const id of conversationIds) this.accept(id, { kind: 'unknownOutcome' }) }
    )
  }

  /** Beats about every 25 s from now on. */
  startHeartbeat (): void {
    if (this.isStopped) return
    const next = () => { this.startHeartbeat() }
    const logged = (error: unknown) => { this.options.logger.error({ err: error }, 'heads could not be checked') }
    this.stopHeartbeat = this.later(() => { void this.beat().catch(logged).then(next) }, nextHeartbeatMs())
  }

  /** Tells each socket where its conversations stand that changed since the last time. */
  async beat (): Promise<void> {
    for await (const heads of this.heartbeat.check()) {
      for (const [conversationId, rev] of heads) {
        // The next heartbeat finds the rest.
        if (this.isNearlyFull) break
        this.acceptAfter(conversationId, rev, { name: 'head' })
      }
    }
    writeHeads(this.heartbeat.takeHeads())
  }

  /** Sends an event that must not come before this rev. */
  acceptAfter (conversationId: string, rev: Rev, event: AfterEvent): void {
    this.accept(conversationId, { rev, kind: 'after', event })
  }

  /** So much is pending that nothing should be added that can come later. */
  get isNearlyFull (): boolean {
    return this.options.watermarks.pendingCount > pendingMax / 2
  }

  stop (): void {
    this.isStopped = true
    this.unsubscribe()
    this.stopHeartbeat()
    for (const endTimer of this.timers.values()) endTimer()
    this.timers.clear()
    this.options.watermarks.clear()
  }

  /** Resolves when all that was passed on has been sent. */
  async finish (): Promise<void> {
    await Promise.all(this.queues.values())
  }

  private onCommitted ({ rows, reads, heads, members }: CommittedBatch): void {
    const headOf = new Map(heads.map(head => [head._id, head]))
    const memberOf = members.length === 0 ? noMembers : new Map(members.map(member => [member._id, member]))
    for (const { row, isNew } of rows) {
      const { conversationId, rev, kind, userId } = row
      const member = kind === 'membership' ? memberOf.get(memberKey(conversationId, userId!)) : undefined
      this.accept(conversationId, { rev, kind: 'row', row, isNew, head: headOf.get(conversationId), member })
    }
    for (const member of reads) {
      const { _id, conversationId } = member
      const socketId = this.markReadSockets.get(_id)
      this.acceptAfter(conversationId, headOf.get(conversationId)?.headRev ?? revOf(0), { name: 'read', member, socketId })
    }
    this.writer.broadcaster.flush()
  }

  private accept (conversationId: string, event: Event): void {
    const { watermarks } = this.options
    const before = watermarks.get(conversationId)
    const { state, actions } = this.decide(before, event, () => this.factsOf(conversationId))
    watermarks.set(conversationId, before, state)
    if (state.name !== 'waiting' && this.timers.size > 0) this.endTimer(conversationId)
    for (const action of actions) this.run(conversationId, action)
  }

  private factsOf (conversationId: string): Facts {
    const { chat, subscriptions, watermarks } = this.options
    return {
      isSoleWriter: chat.log.isSoleWriter,
      isClustered: this.isClustered(),
      hasSubscribers: subscriptions.hasSubscribers(conversationId),
      dependsOnMembership: dependsOnMembership(conversationId),
      isFull: watermarks.pendingCount >= pendingMax
    }
  }

  private run (conversationId: string, action: Action): void {
    switch (action.do) {
      case 'send':
        for (const delivery of action.deliveries) this.enqueue(conversationId, delivery)
        return
      case 'drop': return action.delivery.kind === 'row' ? this.onLateMembership(action.delivery.row) : undefined
      case 'wait':
        this.endTimer(conversationId)
        this.timers.set(conversationId, this.later(() => { this.accept(conversationId, { kind: 'timer' }) }, action.ms))
        return
      case 'recordVerified': return this.options.watermarks.setVerified(conversationId)
      case 'fill':
      case 'verify': void this.work(conversationId, action)
    }
  }

  private endTimer (conversationId: string): void {
    this.timers.get(conversationId)?.()
    this.timers.delete(conversationId)
  }

  /** Fills a gap or verifies, and goes on with the result; never rejects. */
  private async work (conversationId: string, job: Job): Promise<void> {
    const { gapSource, logger } = this.options
    let result: Event
    try {
      if (job.do === 'fill') result = { kind: 'filled', job, fill: await gapSource.fill(conversationId, job.after, job.to) }
      else {
        await gapSource.verify(conversationId)
        result = { kind: 'verified', job }
      }
    } catch (error) {
      logger.warn({ err: error, conversationId }, 'changes that were not heard of could not be read')
      result = { kind: 'failed', job }
    }
    this.accept(conversationId, result)
    this.writer.broadcaster.flush()
  }

  /** A membership that comes when later revs have been sent: whom it let in was not there to get them. */
  private onLateMembership ({ kind, conversationId, userId, role }: LogRow): void {
    if (kind !== 'membership' || role == null || selfLogOwner(conversationId) !== undefined) return
    const owner = userId!.toHexString()
    const sockets = this.options.subscriptions.socketsOf(liveRoom(owner))
    if (sockets.some(socket => !socket.rooms.has(conversationId))) {
      this.accept(selfLogId(owner), { kind: 'verificationRequested' })
    }
  }

  /** Sends a delivery after what was passed on before of the same conversation. */
  private enqueue (conversationId: string, delivery: Delivery): void {
    const before = this.queues.get(conversationId)
    const result = before === undefined
      ? this.write(conversationId, delivery)
      : before.then(() => {
        const written = this.write(conversationId, delivery)
        // Who is in the audience when it is sent must be who was when it was decided.
        this.writer.broadcaster.flush()
        return written
      })
    if (result === undefined) return
    const done = result.then(() => { if (this.queues.get(conversationId) === done) this.queues.delete(conversationId) })
    this.queues.set(conversationId, done)
  }

  /** Never throws or rejects: the deliveries that follow are not held up. */
  private write (conversationId: string, delivery: Delivery): void | Promise<void> {
    const failed = (error: unknown) => {
      this.options.logger.error({ err: error, conversationId }, 'a change could not be delivered live')
    }
    try {
      return writeDelivery(this.writer, conversationId, delivery)?.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}

const noMembers: ReadonlyMap<string, Member> = new Map()
