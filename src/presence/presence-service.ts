import type { FastifyBaseLogger } from 'fastify'
import type { ChatContext } from '../chat/context.ts'
import { apartFrom } from '../chat/directories/block-directory.ts'
import { objectId } from '../chat/rules/conversation-id.ts'
import { Elsewhere } from './elsewhere.ts'
import { PresenceTracker, type PresenceState } from './presence-tracker.ts'
import { visibleUsers } from './visible-users.ts'
import { selfLogOwner } from '../log/model/types.ts'
import type { PresencePayload } from '../schemas/events.ts'
import type { ChatNodes } from '../live/relay.ts'
import type { ChatServer, ChatSocket } from '../connection/socket-types.ts'

/** Milliseconds for which access between two users is cached, although another node may end it. */
const believedMs = 300_000
/** Milliseconds between two writes of last activity. */
const storeEveryMs = 60_000
/** Rows in one write. */
const rowsInWrite = 1_000

interface Watch {
  socketId: string
  userId: string
  /** When the watcher was last known to have access, in milliseconds since 1970. */
  seenAt: number
}

/**
 * Sends presence changes to sockets that subscribed, if their users still have access. A watcher gets no presence of a
 * user if either has blocked the other or they no longer share a conversation.
 */
export class PresenceService {
  private readonly presence: PresenceTracker
  private readonly elsewhere: Elsewhere
  private readonly io: ChatServer
  private readonly chat: ChatContext
  private readonly log: FastifyBaseLogger
  /** Watches by watched user and watching socket. */
  private readonly watches = new Map<string, Map<string, Watch>>()
  /** The users whom each socket watches. */
  private readonly watched = new Map<string, string[]>()
  private readonly timer: NodeJS.Timeout
  private readonly unsubscribe: () => void

  constructor (io: ChatServer, chat: ChatContext, nodes: ChatNodes, log: FastifyBaseLogger, graceMs: number) {
    this.io = io
    this.chat = chat
    this.log = log
    const notify = (userId: string) => {
      this.notify(userId).catch((error: unknown) => { log.error({ err: error, userId }, 'presence was not announced') })
    }
    this.presence = new PresenceTracker({
      graceMs,
      now: chat.now,
      later: (ms, act) => {
        const timer = setTimeout(act, ms).unref()
        return () => { clearTimeout(timer) }
      },
      onChange: (userId, { status, lastActiveAt }) => {
        this.elsewhere.tell(userId, status === 'online', lastActiveAt ?? chat.now())
        if (!this.elsewhere.has(userId)) notify(userId)
      }
    })
    this.elsewhere = new Elsewhere({
      nodes,
      present: () => this.presence.users(),
      onChange: userId => { if (this.presence.stateOf(userId).status === 'offline') notify(userId) }
    })
    this.timer = setInterval(() => {
      this.store().catch((error: unknown) => { log.warn({ err: error }, 'presence could not be stored') })
    }, storeEveryMs).unref()
    this.unsubscribe = chat.log.onCommitted(({ rows }) => {
      for (const { row } of rows) {
        const owner = row.kind === 'membership' && row.role === null ? selfLogOwner(row.conversationId) : undefined
        if (owner !== undefined) this.recheckWatchers(owner)
      }
    })
  }

  serve (socket: ChatSocket, userId: string): void {
    this.presence.enter(userId, socket.id)
    socket.onAny(() => { this.presence.touch(userId) })
    socket.on('disconnect', () => {
      this.watch(socket.id, userId, [])
      this.presence.leave(userId, socket.id)
    })
  }

  /** Subscribes the socket to the presence of those users whom its user may watch; returns their present states. */
  async subscribe (socket: ChatSocket, userId: string, userIds: readonly string[]): Promise<PresencePayload[]> {
    const known = [...await visibleUsers(this.chat, userId, userIds.map(id => id.toLowerCase()))]
    if (socket.connected) this.watch(socket.id, userId, known)
    await this.elsewhere.read(known)
    const stored = await this.chat.collections.presence
      .find({ _id: { $in: known.map(objectId) } })
      .batchSize(known.length + 1)
      .toArray()
    const times = new Map(stored.map(row => [row._id.toHexString(), row.lastActiveAt.getTime()]))
    return known.map(id => {
      const { status, lastActiveAt } = this.stateOf(id)
      return payload(id, { status, lastActiveAt: lastActiveAt ?? times.get(id) ?? null })
    })
  }

  /** Stores everybody's last activity. */
  async close (): Promise<void> {
    clearInterval(this.timer)
    this.unsubscribe()
    this.presence.close()
    this.elsewhere.close()
    await this.store()
  }

  /** On this node or another one. */
  private stateOf (userId: string): PresenceState {
    const here = this.presence.stateOf(userId)
    const lastActiveAt = this.elsewhere.lastActiveAt(userId)
    return here.status === 'online' || lastActiveAt === undefined ? here : { status: 'online', lastActiveAt }
  }

  private watch (socketId: string, userId: string, userIds: string[]): void {
    for (const id of this.watched.get(socketId) ?? []) this.forget(id, socketId)
    if (userIds.length === 0) this.watched.delete(socketId)
    else this.watched.set(socketId, userIds)
    const verifiedAt = this.chat.now()
    for (const id of userIds) {
      const all = this.watches.get(id) ?? new Map<string, Watch>()
      this.watches.set(id, all)
      this.elsewhere.watch(id)
      all.set(socketId, { socketId, userId, seenAt: verifiedAt })
    }
  }

  private forget (userId: string, socketId: string): void {
    const all = this.watches.get(userId)
    all?.delete(socketId)
    if (all?.size !== 0) return
    this.watches.delete(userId)
    this.elsewhere.unwatch(userId)
  }

  /** The user has left a conversation: checks the users they watch and the users who watch them again. */
  private recheckWatchers (userId: string): void {
    for (const watch of this.watches.get(userId)?.values() ?? []) watch.seenAt = 0
    for (const socketId of this.presence.socketsOf(userId)) {
      for (const id of this.watched.get(socketId) ?? []) {
        const watch = this.watches.get(id)?.get(socketId)
        if (watch !== undefined) watch.seenAt = 0
      }
    }
  }

  private async notify (userId: string): Promise<void> {
    if (!this.watches.has(userId)) return
    const all = [...this.watches.get(userId)?.values() ?? []]
    const apart = await apartFrom(this.chat.blocks, userId, all.map(watch => watch.userId))
    const watches = all.filter(watch => !apart.has(watch.userId))
    const allowed = await this.reverify(userId, watches)
    const told = watches.filter(
      ({ socketId, userId: watcher }) =>
        allowed.get(watcher) !== false && this.watches.get(userId)?.has(socketId) === true
    )
    // Send the present state: a later change gets its own event, and an outdated state is never sent.
    const socketIds = told.map(({ socketId }) => socketId)
    if (told.length > 0) this.io.local.to(socketIds).emit('presence', payload(userId, this.stateOf(userId)))
    this.log.debug({ userId, sockets: told.length }, 'presence announced')
  }

  /** Checks again the watches whose access may be outdated; the others are not in the result. */
  private async reverify (userId: string, watches: readonly Watch[]): Promise<Map<string, boolean>> {
    const allowed = new Map<string, boolean>()
    for (const watch of watches.filter(({ seenAt: verifiedAt }) => verifiedAt < this.chat.now() - believedMs)) {
      const may = allowed.get(watch.userId) ?? (await visibleUsers(this.chat, watch.userId, [userId])).has(userId)
      allowed.set(watch.userId, may)
      if (may) watch.seenAt = this.chat.now()
      else this.forget(userId, watch.socketId)
    }
    return allowed
  }

  private async store (): Promise<void> {
    const { entries, stored } = this.presence.toStore()
    for (let start = 0; start < entries.length; start += rowsInWrite) {
      await this.chat.collections.presence.bulkWrite(entries.slice(start, start + rowsInWrite).map(([userId, at]) => ({
        updateOne: { filter: { _id: objectId(userId) }, update: { $max: { lastActiveAt: new Date(at) } }, upsert: true }
      })), { ordered: false })
    }
    stored()
  }
}

function payload (userId: string, { status, lastActiveAt }: PresenceState): PresencePayload {
  return { userId, status, lastActiveAt: lastActiveAt === null ? null : new Date(lastActiveAt).toISOString() }
}
