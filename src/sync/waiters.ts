import { TidelogError } from '../errors.ts'
import { parseConversationId } from '../chat/rules/conversation-id.ts'
import type { CommittedBatch } from '../log/commit/committer.ts'
import { selfLogOwner } from '../log/model/types.ts'
import { type Channels, userChannel } from '../nodes/channels.ts'

/** The reason for which a wait ends. */
export type WakeReason = 'change' | 'time' | 'end'

export interface LongPollOptions {
  /** Long polls of one user. One more ends the oldest. */
  userMax?: number
  /** Long polls in all. Further ones are refused. */
  max?: number
  /** Brings other nodes' commits. */
  channels?: Pick<Channels, 'want' | 'settled'>
}

/**
 * Calls that wait for a change. Each is registered before its heads are read, so that it misses no change. Commits that
 * this process makes or receives wake it.
 */
export class LongPolls {
  private readonly byUser = new Map<string, Set<LongPoll>>()
  private readonly byRoom = new Map<string, Set<LongPoll>>()
  /** Ends the hearing of other nodes, by channel. */
  private readonly ends = new Map<string, () => void>()
  private readonly channels: LongPollOptions['channels']
  private readonly userMax: number
  private readonly max: number
  private count = 0
  private closed = false

  constructor ({ userMax = 4, max = 20_000, channels }: LongPollOptions = {}) {
    this.userMax = userMax
    this.max = max
    this.channels = channels
  }

  get size (): number {
    return this.count
  }

  /**
   * Registers a long poll. You must call `release` at the end; calling it again is harmless.
   * @throws TidelogError OVERLOADED
   */
  register (userId: string, roomIds: Iterable<string>): LongPoll {
    if (this.count >= this.max) throw new TidelogError('OVERLOADED', undefined, { retryAfterMs: 1_000 })
    this.count++
    const mine = this.byUser.get(userId) ?? new Set()
    if (mine.size === 0) this.hear(userChannel(userId))
    this.byUser.set(userId, mine)
    const waiter = new LongPoll(() => { this.remove(userId, waiter) })
    mine.add(waiter)
    if (mine.size > this.userMax) {
      const [oldest] = mine
      oldest!.end()
      oldest!.release()
    }
    this.watch(waiter, roomIds)
    if (this.closed) waiter.end()
    return waiter
  }

  /** Adds rooms whose changes wake this long poll. */
  watch (waiter: LongPoll, roomIds: Iterable<string>): void {
    for (const roomId of roomIds) {
      if (waiter.roomIds.has(roomId)) continue
      waiter.roomIds.add(roomId)
      const there = this.byRoom.get(roomId)
      if (there !== undefined) there.add(waiter)
      else {
        this.byRoom.set(roomId, new Set([waiter]))
        this.hear(roomId)
      }
    }
  }

  /**
   * Waits until other nodes' commits would wake the registered long polls. Returns no promise if they do already, or if
   * no other node can be heard.
   */
  settled (): Promise<void> | undefined {
    return this.channels?.settled()
  }

  /** Wakes every user who may see a change of this batch. */
  wake ({ rows, reads }: CommittedBatch): void {
    if (this.count === 0) return
    const ids = new Set<string>()
    for (const { row } of rows) ids.add(row.conversationId)
    for (const { conversationId } of reads) ids.add(conversationId)
    for (const id of ids) this.wakeOf(id)
  }

  /** Wakes everybody: something may have passed unheard. */
  wakeAll (): void {
    for (const waiters of this.byUser.values()) for (const waiter of waiters) waiter.wake()
  }

  /** Ends a user's long polls, because some of their sessions have ended. */
  endOf (userId: string): void {
    for (const waiter of this.byUser.get(userId) ?? []) waiter.end()
  }

  /** Ends all long polls, now and from now on. */
  close (): void {
    this.closed = true
    for (const waiters of this.byUser.values()) for (const waiter of waiters) waiter.end()
  }

  private wakeOf (conversationId: string): void {
    const owner = selfLogOwner(conversationId)
    if (owner !== undefined) return this.wakeUser(owner)
    const ref = parseConversationId(conversationId)
    switch (ref?.kind) {
      case 'direct':
        for (const userId of ref.userIds) this.wakeUser(userId)
        break
      case 'common':
        this.wakeAll()
        break
      case 'room':
        for (const waiter of this.byRoom.get(conversationId) ?? []) waiter.wake()
        break
      case undefined: break
    }
  }

  private wakeUser (userId: string): void {
    for (const waiter of this.byUser.get(userId) ?? []) waiter.wake()
  }

  private remove (userId: string, waiter: LongPoll): void {
    const mine = this.byUser.get(userId)
    if (mine?.delete(waiter) !== true) return
    this.count--
    if (mine.size === 0) {
      this.byUser.delete(userId)
      this.endHearing(userChannel(userId))
    }
    for (const roomId of waiter.roomIds) {
      const there = this.byRoom.get(roomId)
      there?.delete(waiter)
      if (there?.size !== 0) continue
      this.byRoom.delete(roomId)
      this.endHearing(roomId)
    }
  }

  private hear (channel: string): void {
    if (this.channels !== undefined) this.ends.set(channel, this.channels.want(channel))
  }

  private endHearing (channel: string): void {
    this.ends.get(channel)?.()
    this.ends.delete(channel)
  }
}

export class LongPoll {
  readonly roomIds = new Set<string>()
  readonly release: () => void
  /** A change happened since the last `wait` returned. */
  private changed = false
  private ended = false
  private resolve: ((woken: WakeReason) => void) | undefined

  constructor (release: () => void) {
    this.release = release
  }

  /**
   * Resolves with the first reason that occurs, or has occurred since the last call: a change, the end, or the time
   * limit.
   */
  wait (ms: number): Promise<WakeReason> {
    if (this.ended) return Promise.resolve('end')
    if (this.changed) {
      this.changed = false
      return Promise.resolve('change')
    }
    return new Promise(resolve => {
      const timer = setTimeout(() => { this.finish('time') }, ms)
      this.resolve = woken => {
        clearTimeout(timer)
        resolve(woken)
      }
    })
  }

  wake (): void {
    if (this.resolve === undefined) this.changed = true
    else this.finish('change')
  }

  end (): void {
    this.ended = true
    this.finish('end')
  }

  private finish (woken: WakeReason): void {
    const { resolve } = this
    this.resolve = undefined
    resolve?.(woken)
  }
}
