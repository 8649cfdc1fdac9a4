/**
 * Who is connected to this process. A user is online from their first socket until a while after the last one has gone:
 * a reconnect in between is nobody's business. Nothing of it survives the process but the last time of activity.
 */

type PresenceStatus = 'online' | 'offline'

export interface PresenceState {
  status: PresenceStatus
  /** Milliseconds since 1970; null: not known. */
  lastActiveAt: number | null
}

export interface PresenceOptions {
  /** Milliseconds for which a user without sockets is still online. */
  graceMs: number
  /** Milliseconds since 1970. */
  now: () => number
  /** Calls back after some milliseconds; returns the way to stop it. */
  later: (ms: number, act: () => void) => () => void
  /** A user has come or gone. */
  onChange: (userId: string, state: PresenceState) => void
}

interface Present {
  sockets: Set<string>
  lastActiveAt: number
  /** Ends the time of grace; there is one while no socket is left. */
  graceTimer: (() => void) | undefined
}

export class PresenceTracker {
  private readonly present = new Map<string, Present>()
  /** Last activity of those who went since it was stored last. */
  private readonly unsaved = new Map<string, number>()
  private readonly options: PresenceOptions

  constructor (options: PresenceOptions) {
    this.options = options
  }

  enter (userId: string, socketId: string): void {
    const now = this.options.now()
    const known = this.present.get(userId)
    if (known !== undefined) {
      known.graceTimer?.()
      known.graceTimer = undefined
      known.sockets.add(socketId)
      known.lastActiveAt = now
      return
    }
    this.present.set(userId, { sockets: new Set([socketId]), lastActiveAt: now, graceTimer: undefined })
    this.options.onChange(userId, { status: 'online', lastActiveAt: now })
  }

  leave (userId: string, socketId: string): void {
    const known = this.present.get(userId)
    if (known?.sockets.delete(socketId) !== true || known.sockets.size > 0) return
    known.lastActiveAt = this.options.now()
    known.graceTimer = this.options.later(this.options.graceMs, () => {
      this.present.delete(userId)
      this.unsaved.set(userId, known.lastActiveAt)
      this.options.onChange(userId, { status: 'offline', lastActiveAt: known.lastActiveAt })
    })
  }

  /** The user has done something. */
  touch (userId: string): void {
    const known = this.present.get(userId)
    if (known !== undefined) known.lastActiveAt = this.options.now()
  }

  /** Offline without a time where nothing is known in memory. */
  stateOf (userId: string): PresenceState {
    const known = this.present.get(userId)
    return known === undefined ? { status: 'offline', lastActiveAt: this.unsaved.get(userId) ?? null } : { status: 'online', lastActiveAt: known.lastActiveAt }
  }

  socketsOf (userId: string): Iterable<string> {
    return this.present.get(userId)?.sockets ?? []
  }

  /** What is to be stored of those who have gone; `stored` lets go of it. */
  toStore (): { entries: Array<[userId: string, lastActiveAt: number]>, stored: () => void } {
    const entries = [...this.unsaved]
    return {
      entries,
      stored: () => { for (const [userId, at] of entries) if (this.unsaved.get(userId) === at) this.unsaved.delete(userId) }
    }
  }

  /** Everybody goes, without a word: the process ends. */
  close (): void {
    for (const [userId, { graceTimer, lastActiveAt }] of this.present) {
      graceTimer?.()
      this.unsaved.set(userId, lastActiveAt)
    }
    this.present.clear()
  }
}
