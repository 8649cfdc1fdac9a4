import type { FastifyBaseLogger } from 'fastify'
import type { ChatContext } from '../chat/context.ts'
import { parseConversationId } from '../chat/rules/conversation-id.ts'
import { type Schedule, schedule } from '../lib/schedule.ts'
import { Histogram } from '../lib/histogram.ts'
import type { CommittedBatch } from '../log/commit/committer.ts'
import { type LogRow, type Member, type Rev, memberKey, revOf, selfLogId, selfLogOwner } from '../log/model/types.ts'
import { dependsOnMembership } from './audience.ts'
import { Broadcaster } from './broadcaster.ts'
import type { AfterEvent, Delivery } from './delivery.ts'
import type { GapSource } from './gap-source.ts'
import { type Heartbeat, nextHeartbeatMs } from './heartbeat.ts'
import { type Action, type Event, type Facts, type Job, resequence } from './resequencer.ts'
import { type ChatServer, type ChatSocket, liveRoom } from '../connection/socket-types.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { Watermarks } from './watermarks.ts'
import { type EventWriter, writeDelivery, writeHeads } from './write-events.ts'

/** Pending deliveries in all conversations together, at most. */
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
  /** Tests replace this. */
  resequence?: typeof resequence
  /** Do other nodes send their commits to this one? */
  isClustered: () => boolean
}

/**
 * The only place that sends commits, of this node or of others, to sockets of this process. It runs the actions that
 * the resequencer decides. A delivery whose payload needs a read delays the later ones of its conversation, and no
 * others.
 */
export class LiveDelivery {
  readonly heartbeat: Heartbeat
  /** Sockets whose `markRead` is running, by the member's key: they get an acknowledgement, all others an event. */
  readonly markReadSockets = new Map<string, string>()
  private readonly options: LiveDeliveryOptions
  private readonly writer: EventWriter
  private readonly decide: typeof resequence
  private readonly isClustered: () => boolean
  private readonly later: Schedule
  /** The last running delivery of each conversation. */
  private readonly queues = new Map<string, Promise<void>>()
  /** Cancels a conversation's wait at a gap. */
  private readonly timers = new Map<string, () => void>()
  private readonly unsubscribe: () => void
  private stopHeartbeat = () => {}
  /** Seconds from hearing of a commit to having written its event; gaps and reads are part of it. */
  readonly lagSeconds = new Histogram([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
  /** Gaps at which deliveries were held back, and how the reads of gaps have ended. */
  readonly gaps = { held: 0, filled: 0, failed: 0 }
  private isStopped = false

  constructor (options: LiveDeliveryOptions) {
    const { io, chat, subscriptions, heartbeat } = options
    this.options = options
    this.heartbeat = heartbeat
    this.writer = { io, chat, subscriptions, heartbeat, broadcaster: new Broadcaster(io) }
    this.decide = options.resequence ?? resequence
    this.isClustered = options.isClustered
    this.later = options.later ?? schedule
    this.unsubscribe = chat.log.onCommitted(
      committed => { this.onCommitted(committed) },
      conversationIds => { for (const id of conversationIds) this.accept(id, { kind: 'unknownOutcome' }) }
    )
  }

  /** Starts the heartbeat, about every 25 s. */
  startHeartbeat (): void {
    if (this.isStopped) return
    const next = () => { this.startHeartbeat() }
    const logged = (error: unknown) => { this.options.logger.error({ err: error }, 'heads could not be checked') }
    this.stopHeartbeat = this.later(() => { void this.beat().catch(logged).then(next) }, nextHeartbeatMs())
  }

  /** Sends each socket the last revs of its conversations that changed since the last heartbeat. */
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

  /** Is so much pending that deliveries which can come later must not be added? */
  get isNearlyFull (): boolean {
    return this.options.watermarks.pendingCount > pendingMax / 2
  }

  get watermarks (): Watermarks {
    return this.options.watermarks
  }

  /** Events that were written so far, once for each socket. */
  get deliveries (): number {
    return this.writer.broadcaster.deliveries
  }

  stop (): void {
    this.isStopped = true
    this.unsubscribe()
    this.stopHeartbeat()
    for (const endTimer of this.timers.values()) endTimer()
    this.timers.clear()
    this.options.watermarks.clear()
  }

  /** Resolves when everything accepted so far is sent. */
  async finish (): Promise<void> {
    await Promise.all(this.queues.values())
  }

  private onCommitted ({ rows, reads, heads, members }: CommittedBatch): void {
    const heardAt = performance.now()
    const headOf = new Map(heads.map(head => [head._id, head]))
    const memberOf = members.length === 0 ? noMembers : new Map(members.map(member => [member._id, member]))
    for (const { row, isNew } of rows) {
      const { conversationId, rev, kind, userId } = row
      const member = kind === 'membership' ? memberOf.get(memberKey(conversationId, userId!)) : undefined
      const head = headOf.get(conversationId)
      this.accept(conversationId, { rev, kind: 'row', row, isNew, head, member, heardAt })
    }
    for (const member of reads) {
      const { _id, conversationId } = member
      const socketId = this.markReadSockets.get(_id)
      this.acceptAfter(conversationId, headOf.get(conversationId)?.headRev ?? revOf(0), {
        name: 'read', member, socketId
      })
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
    // What subscribers of other logs were told says nothing about who they are.
    const isDirect = parseConversationId(conversationId)?.kind === 'direct'
    return {
      isSoleWriter: chat.log.isSoleWriter,
      isClustered: this.isClustered(),
      hasSubscribers: subscriptions.hasSubscribers(conversationId),
      dependsOnMembership: dependsOnMembership(conversationId),
      toldRev: isDirect ? this.heartbeat.toldRev(conversationId) : undefined,
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
        this.gaps.held++
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

  /** Fills a gap or verifies, then continues with the result. Never rejects. */
  private async work (conversationId: string, job: Job): Promise<void> {
    const { gapSource, logger } = this.options
    let result: Event
    try {
      if (job.do === 'fill') {
        result = { kind: 'filled', job, fill: await gapSource.fill(conversationId, job.after, job.to) }
        this.gaps.filled++
      } else {
        await gapSource.verify(conversationId)
        result = { kind: 'verified', job }
      }
    } catch (error) {
      logger.warn({ err: error, conversationId }, 'changes that were not heard of could not be read')
      this.gaps.failed++
      result = { kind: 'failed', job }
    }
    this.accept(conversationId, result)
    this.writer.broadcaster.flush()
  }

  /** Handles a membership that arrives after later revs were sent: its user was not subscribed and has missed them. */
  private onLateMembership ({ kind, conversationId, userId, role }: LogRow): void {
    if (kind !== 'membership' || role == null || selfLogOwner(conversationId) !== undefined) return
    const owner = userId!.toHexString()
    const { subscriptions } = this.options
    const isMissing = (socket: ChatSocket) =>
      !socket.rooms.has(conversationId) && subscriptions.wants(socket, conversationId)
    if (subscriptions.socketsOf(liveRoom(owner)).some(isMissing)) {
      this.accept(selfLogId(owner), { kind: 'verificationRequested' })
    }
  }

  /** Sends a delivery after the conversation's earlier ones. */
  private enqueue (conversationId: string, delivery: Delivery): void {
    const before = this.queues.get(conversationId)
    const result = before === undefined
      ? this.write(conversationId, delivery)
      : before.then(() => {
        const written = this.write(conversationId, delivery)
        // Send earlier events first: each goes to the audience of the moment when it was decided.
        this.writer.broadcaster.flush()
        return written
      })
    if (result === undefined) return
    const done = result.then(() => { if (this.queues.get(conversationId) === done) this.queues.delete(conversationId) })
    this.queues.set(conversationId, done)
  }

  /** Never throws or rejects, so later deliveries are not delayed. */
  private write (conversationId: string, delivery: Delivery): void | Promise<void> {
    const failed = (error: unknown) => {
      this.options.logger.error({ err: error, conversationId }, 'a change could not be delivered live')
    }
    const written = () => {
      if (delivery.kind !== 'row' || delivery.heardAt === undefined) return
      this.lagSeconds.observe((performance.now() - delivery.heardAt) / 1_000)
    }
    try {
      const pending = writeDelivery(this.writer, conversationId, delivery)
      if (pending !== undefined) return pending.then(written, failed)
      written()
    } catch (error) {
      failed(error)
    }
  }
}

const noMembers: ReadonlyMap<string, Member> = new Map()
