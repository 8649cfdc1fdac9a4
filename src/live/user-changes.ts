import { objectId, parseConversationId } from '../chat/rules/conversation-id.ts'
import { packetOf, socketsIn, writePackets } from '../connection/socket-io.ts'
import { type ChatServer, userRoom } from '../connection/socket-types.ts'
import { type Schedule, schedule } from '../lib/schedule.ts'
import { selfLogId } from '../log/model/types.ts'
import type { SyncContext } from '../sync/context.ts'
import { publicUser } from '../users/public-user.ts'
import { audienceOf } from './audience.ts'
import type { Subscriptions } from './subscriptions.ts'

/** Milliseconds between two events about the same user. Changes in between are one. */
const gapMs = 1_000
/** Rooms with more members than this get no `userChanged`. */
const membersMax = 200

export interface UserChangesOptions {
  io: ChatServer
  sync: SyncContext
  subscriptions: Subscriptions
  onError: (error: unknown, userId: string) => void
  later?: Schedule
}

/**
 * Sends `userChanged` to sockets of this process when a user's name or picture has changed, here or on another node: to
 * the user's own, and to those that get a direct conversation or a small room of theirs live.
 */
export class UserChanges {
  private readonly options: UserChangesOptions
  private readonly later: Schedule
  /** Users about whom a `userChanged` was sent a moment ago: have they changed again since? */
  private readonly recent = new Map<string, boolean>()
  private readonly timers = new Set<() => void>()
  private readonly unsubscribe: () => void
  private isStopped = false

  constructor (options: UserChangesOptions) {
    this.options = options
    this.later = options.later ?? schedule
    this.unsubscribe = options.sync.chat.users.subscribe(({ id, isPublic }) => { if (isPublic) this.changed(id) })
  }

  stop (): void {
    this.isStopped = true
    this.unsubscribe()
    for (const endTimer of this.timers) endTimer()
  }

  private changed (userId: string): void {
    if (this.isStopped) return
    const isRecent = this.recent.has(userId)
    this.recent.set(userId, isRecent)
    if (isRecent) return
    void this.tell(userId)
      .catch((error: unknown) => { this.options.onError(error, userId) })
      .then(() => { this.pause(userId) })
  }

  private pause (userId: string): void {
    if (this.isStopped) return
    const endTimer = this.later(() => {
      this.timers.delete(endTimer)
      const hasChanged = this.recent.get(userId) === true
      this.recent.delete(userId)
      if (hasChanged) this.changed(userId)
    }, gapMs)
    this.timers.add(endTimer)
  }

  private async tell (userId: string): Promise<void> {
    const { io, sync: { chat } } = this.options
    const [user, rooms] = await Promise.all([chat.users.get(userId), this.audienceOf(userId)])
    if (user === undefined || this.isStopped) return
    const packet = packetOf('userChanged', { user: publicUser(userId, user) })
    writePackets(socketsIn(io, [userRoom(userId), ...rooms]), [packet])
  }

  /** Reads only the heads of rooms that have subscribers here. */
  private async audienceOf (userId: string): Promise<string[]> {
    const { sync: { chat: { log }, conversations }, subscriptions } = this.options
    const { list } = await conversations.get({ id: objectId(userId), userId }, await log.head(selfLogId(userId)))
    const ids = list.map(({ conversationId }) => conversationId)
    const kindOf = (id: string) => parseConversationId(id)?.kind
    const rooms = ids.filter(id => kindOf(id) === 'room' && subscriptions.countIn(id) > 0)
    const heads = await log.heads(rooms)
    const isSmall = (id: string) => (heads.get(id)?.memberCount ?? Infinity) <= membersMax
    return [...ids.filter(id => kindOf(id) === 'direct').flatMap(audienceOf), ...rooms.filter(isSmall)]
  }
}
